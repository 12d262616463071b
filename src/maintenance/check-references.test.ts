import { describe, expect, it } from 'vitest';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { encodeEntry, encodeManifestNode, type ManifestNode, manifestNodeId, plainIds } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import type { KeptCount } from '../metadata/index.ts';
import { checkReferences } from './check-references.ts';
import type { CheckedStore } from './checked-store.ts';
import { CheckRun, type InvariantReport } from './invariants/check-run.ts';

const digestOf = (text: string): Uint8Array => new Uint8Array(blake3(utf8Encode(text)));
const [C1, C2, C3] = [digestOf('1'), digestOf('2'), digestOf('3')] as const;

function leaf(...digests: readonly Uint8Array[]): ManifestNode {
  return { type: 'leaf', start: 0, lengths: digests.map(() => 10), digests: Buffer.concat(digests) };
}

function inner(level: number, ...nodes: readonly ManifestNode[]): ManifestNode {
  const children = nodes.map((node) => ({
    ...{ id: idOf(node), hash: digestOf('hash') },
    ...{
      bytes: node.type === 'leaf' ? 10 * node.lengths.length : 20,
      chunks: node.type === 'leaf' ? node.lengths.length : 2,
    },
  }));
  return { type: 'inner', level, children };
}

function idOf(node: ManifestNode): Uint8Array {
  return new Uint8Array(manifestNodeId(encodeManifestNode(node)));
}

function entryOver(node: ManifestNode): Uint8Array {
  const root = digestOf('root');
  return encodeEntry({ digest: root, size: 20, chunkCount: 2, root, manifest: { id: idOf(node) }, attributes: {} });
}

/** Three levels, of which the lowest is shared by two trees. */
const SHARED = leaf(C1, C2);
const MIDDLE = inner(1, SHARED);
const TOP = inner(2, MIDDLE);
const OTHER = inner(1, SHARED, leaf(C3, C3));

const COUNTS: readonly (readonly [kind: KeptCount['kind'], key: Uint8Array, refs: number])[] = [
  ...([C1, C2] as const).map((key) => ['chunk', key, 1] as const),
  ['chunk', C3, 2],
  ['manifest', idOf(TOP), 2],
  ['manifest', idOf(OTHER), 1],
  ['manifest', idOf(MIDDLE), 1],
  ['manifest', idOf(SHARED), 2],
  ['manifest', idOf(leaf(C3, C3)), 1],
];

/** A store of three entries, two of them over the same tree. */
function storeWith(counts: typeof COUNTS): CheckedStore {
  const nodes = new Map([TOP, MIDDLE, SHARED, OTHER, leaf(C3, C3)].map((node) => [toHex(idOf(node)), node]));
  const rows = [TOP, TOP, OTHER].map((node) => ({ kind: 'content' as const, value: entryOver(node), namespace: 0 }));
  const metadata = {
    head: async () => ({ commit: 1 }),
    collectionState: async () => ({ epoch: 0, uncounted: 0, censusDone: true }),
    uncountedReferences: async () => [],
    keptCounts: async () => ({ rows: counts.map(([kind, key, refs]) => ({ kind, key, refs, condemned: 0 })) }),
    heldReferences: async () => ({ rows }),
  };
  const readNode = async (digest: Uint8Array) => encodeManifestNode(nodes.get(toHex(digest)) as ManifestNode);
  const contentOf = () => ({ ids: plainIds, reader: { readNode } });
  return { writable: false, metadata, contentOf, namespaces: new Map() } as unknown as CheckedStore;
}

async function reportOf(counts: typeof COUNTS): Promise<InvariantReport | undefined> {
  const run = new CheckRun(['reference-counts']);
  await checkReferences(storeWith(counts), run, {});
  return run.reports()[0];
}

describe('a recount of references', () => {
  it('goes down every level of a manifest, and through each node once', async () => {
    expect(await reportOf(COUNTS)).toMatchObject({ outcome: 'ok', checked: 11, violations: [] });
  });

  it.each(
    COUNTS.map(([kind, key], at) => [kind, toHex(key), at] as const),
  )('names the one %s %s that is counted otherwise', async (kind, id, at) => {
    const counts = COUNTS.map((count, index) => (index === at ? ([count[0], count[1], count[2] + 1] as const) : count));
    const report = await reportOf(counts);
    expect(report).toMatchObject({ outcome: 'violated', violationCount: 1 });
    expect(report?.violations[0]?.message).toContain(`${kind} ${id}`);
  });
});
