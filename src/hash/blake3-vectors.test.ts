import { existsSync, readFileSync } from 'node:fs';
import { bytesToHex as toHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import { blake3, blake3Derive, blake3Keyed } from './digest-of.ts';
import { createDeriveHasher, createHasher, createKeyedHasher } from './hasher.ts';

interface Case {
  readonly input_len: number;
  readonly hash: string;
  readonly keyed_hash: string;
  readonly derive_key: string;
}

const KEY = utf8Encode('whats the Elvish word for friend');
const CONTEXT = 'BLAKE3 2019-12-27 16:29:52 test vectors context';

/**
 * From test_vectors.json of BLAKE3-team/BLAKE3 at 77b257e, outputs cut to 32 bytes: one chunk, one and a bit, a tree.
 */
const SHORT: readonly Case[] = [
  {
    input_len: 0,
    hash: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    keyed_hash: '92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26',
    derive_key: '2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d',
  },
  {
    input_len: 1,
    hash: '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
    keyed_hash: '6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b',
    derive_key: 'b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c',
  },
  {
    input_len: 1024,
    hash: '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
    keyed_hash: '75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4',
    derive_key: '7356cd7720d5b66b6d0697eb3177d9f8d73a4a5c5e968896eb6a689684302706',
  },
  {
    input_len: 1025,
    hash: 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
    keyed_hash: '357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69',
    derive_key: 'effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb',
  },
  {
    input_len: 8193,
    hash: 'bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b',
    keyed_hash: '954a2a75420c8d6547e3ba5b98d963e6fa6491addc8c023189cc519821b4a1f5',
    derive_key: 'af1e0346e389b17c23200270a64aa4e1ead98c61695d917de7d5b00491c9b0f1',
  },
];

const FILE = new URL('../../../shared/vectors/blake3/test_vectors.json', import.meta.url);
const hasFile = existsSync(FILE);
if (!hasFile) {
  console.warn(
    'BLAKE3 vectors skipped: put BLAKE3-team/BLAKE3 test_vectors/test_vectors.json at ../shared/vectors/blake3',
  );
}

function input(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => index % 251);
}

function check(vector: Case): void {
  const bytes = input(vector.input_len);
  const streamed = [createHasher('blake3'), createKeyedHasher(KEY), createDeriveHasher(CONTEXT)].map((hasher) => {
    for (let start = 0; start < bytes.length; start += 1000) hasher.update(bytes.subarray(start, start + 1000));
    return toHex(hasher.digest());
  });
  // The published outputs are extended ones; their first 32 bytes are the default output.
  const expected = [vector.hash, vector.keyed_hash, vector.derive_key].map((hex) => hex.slice(0, 64));
  expect([blake3(bytes), blake3Keyed(KEY, bytes), blake3Derive(CONTEXT, bytes)].map(toHex)).toEqual(expected);
  expect(streamed).toEqual(expected);
}

describe('BLAKE3', () => {
  it.each(SHORT)('gives the published hash, keyed hash and derived key of $input_len bytes', check);

  it.skipIf(!hasFile)('gives all published outputs of all 35 lengths', () => {
    const file = JSON.parse(readFileSync(FILE, 'utf8')) as { key: string; context_string: string; cases: Case[] };
    expect([utf8Encode(file.key), file.context_string, file.cases.length]).toEqual([KEY, CONTEXT, 35]);
    for (const vector of file.cases) check(vector);
  });
});
