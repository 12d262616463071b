/** Inclusion and consistency proofs of transparency-dev/merkle, good and mutated, at 417fb0c, against `holdfast/merkle`. */
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/hash/index.ts';
import { createTreeHashing, verifyConsistencyPath, verifyInclusionPath } from '../../src/merkle/index.ts';
import { hasVectors, vectorText } from './published.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url));
const hashing = createTreeHashing('sha256');

interface Inclusion {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

interface Consistency {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

/** Bytes of any length: some cases are about just that. */
function digest(base64: string): Digest {
  return new Uint8Array(Buffer.from(base64, 'base64')) as Digest;
}

function digests(path: readonly string[] | null): readonly Digest[] {
  return (path ?? []).map(digest);
}

function casesOf<T extends { readonly wantErr: boolean }>(kind: string): readonly (T & { readonly name: string })[] {
  const names = globSync(`merkle/${kind}/**/*.json`, { cwd: FOLDER }).map((name) => name.replaceAll('\\', '/'));
  return names.sort().map((name) => ({ ...(JSON.parse(vectorText(name)) as T), name }));
}

/** How many cases there are, and those that were not judged as published. */
function judge<T extends { readonly wantErr: boolean }>(kind: string, isProven: (one: T) => boolean) {
  const cases = casesOf<T>(kind);
  return {
    good: cases.filter(({ wantErr }) => !wantErr).length,
    bad: cases.filter(({ wantErr }) => wantErr).length,
    misjudged: cases.filter((one) => isProven(one) === one.wantErr).map(({ name }) => name),
  };
}

describe.skipIf(!hasVectors('merkle'))('every published proof of transparency-dev', () => {
  it('of inclusion is accepted or refused as it should be', () => {
    const judged = judge<Inclusion>('inclusion', ({ leafIdx, treeSize, root, leafHash, proof }) =>
      verifyInclusionPath(
        hashing,
        { leafHash: digest(leafHash), leafIndex: leafIdx, leafCount: treeSize, path: digests(proof) },
        digest(root),
      ),
    );
    expect(judged).toEqual({ good: 6, bad: 92, misjudged: [] });
  });

  it('of consistency is accepted or refused as it should be', () => {
    const judged = judge<Consistency>('consistency', ({ size1, size2, root1, root2, proof }) =>
      verifyConsistencyPath(hashing, {
        first: { leafCount: size1, treeHash: digest(root1) },
        second: { leafCount: size2, treeHash: digest(root2) },
        path: digests(proof),
      }),
    );
    expect(judged).toEqual({ good: 6, bad: 92, misjudged: [] });
  });
});

if (!hasVectors('merkle')) {
  console.warn('Merkle vectors skipped: put testdata of transparency-dev/merkle (417fb0c) at ../shared/vectors/merkle');
}
