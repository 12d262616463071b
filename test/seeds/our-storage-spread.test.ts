/** What our-storage promises of spreading shard sets over backends (OS-25, OS-32 to OS-34), and what it gets wrong there. */
import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MemoryBackend, openFsBackend } from '../../src/backend/index.ts';
import { REDUNDANCY_PRESETS } from '../../src/erasure/index.ts';
import { createChallenge, createDataTree, respond, verifyResponse } from '../../src/merkle/index.ts';
import {
  encodeShardSet,
  formatShardSet,
  formatShardSetRoot,
  gatherShardSet,
  inspectBackends,
  inspectSpread,
  type NamedBackend,
  parseShardSet,
  proveShard,
  removeSpread,
  repairSpread,
  type ShardSet,
  spreadShardSet,
  verifyShardProof,
} from '../../src/shards/index.ts';
import { FaultyBackend, seededRandom } from '../../src/testing/index.ts';
import { noise, sameBytes } from '../support/contents.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const CONTENT = noise(300_000);

function setOf(preset: 'minimal' | 'personal' = 'personal'): ShardSet {
  return encodeShardSet(CONTENT, REDUNDANCY_PRESETS[preset]);
}

function inMemory(...names: readonly string[]): readonly (NamedBackend & { readonly backend: FaultyBackend })[] {
  return names.map((name) => ({ name, backend: new FaultyBackend(new MemoryBackend()) }));
}

interface Folder extends NamedBackend {
  readonly path: string;
}

async function inFolders(...names: readonly string[]): Promise<readonly Folder[]> {
  return await Promise.all(
    names.map(async (name) => {
      const path = await testFolder();
      return { name, path, backend: closedAfterTest(await openFsBackend(path, { reserveBytes: 0 })) };
    }),
  );
}

const namesOf = ({ shards }: ShardSet) => shards.map(({ location }) => location?.backend);

describe('single shards', () => {
  it('OS-25 are proven against the root of their set, and challenged with a nonce that nobody foresees', () => {
    const set = setOf();
    const bytes = set.shards[3]?.bytes as Uint8Array;
    const proof = JSON.stringify(proveShard(set, 3));
    expect(verifyShardProof(proof, formatShardSetRoot(set), { index: 3, bytes })).toBe(true);
    expect(verifyShardProof(proof, formatShardSetRoot(set), { index: 2, bytes })).toBe(false);
    expect(() => proveShard(set, 5)).toThrow(RangeError);
    const held = { root: createDataTree(bytes).root(), totalLength: bytes.length };
    const challenge = createChallenge(held, seededRandom(1).bytes);
    expect(verifyResponse(challenge, respond(challenge, bytes))).toBe(true);
  });
});

describe('spreading over backends', () => {
  it('OS-32 takes backends by name, and says how each does, those that fail included', async () => {
    const [a, b] = inMemory('a', 'b') as [NamedBackend, ReturnType<typeof inMemory>[0]];
    await expect(spreadShardSet(setOf(), [a, { ...b, name: 'a' }])).rejects.toMatchObject({ code: 'BACKEND_EXISTS' });
    b.backend.fail({ call: 'space', how: 'before' });
    expect(await inspectBackends([a, b])).toMatchObject([
      { name: 'a', isUp: true, space: { usedBytes: 0 } },
      { name: 'b', isUp: false, code: 'BACKEND_IO' },
    ]);
  });

  it('OS-33 goes round the backends in their order, or by a map, and the set says where each shard is', async () => {
    const set = encodeShardSet(CONTENT, { k: 4, m: 2 });
    const round = await spreadShardSet(set, inMemory('a', 'b', 'c'));
    expect(namesOf(round.set)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    const map = { 0: 'c', 5: 'a' };
    const mapped = await spreadShardSet(set, inMemory('a', 'b', 'c'), { places: { strategy: 'map', map } });
    expect(namesOf(mapped.set)).toEqual(['c', 'b', 'c', 'a', 'b', 'a']);
    await expect(spreadShardSet(set, [])).rejects.toThrow(TypeError);
    const nobody = { strategy: 'single', backend: 'x' } as const;
    await expect(spreadShardSet(set, inMemory('a'), { places: nobody })).rejects.toMatchObject({
      code: 'BACKEND_NOT_FOUND',
    });
  });

  it('OS-34 gathers what is left; missing shards and unknown backends are losses, not errors', async () => {
    const backends = inMemory('a', 'b', 'c', 'd', 'e');
    const { set } = await spreadShardSet(setOf(), backends);
    await backends[1]?.backend.delete(set.shards[1]?.location?.key ?? '');
    const gathered = await gatherShardSet(formatShardSet(set), backends.slice(1));
    expect(sameBytes(gathered.content, CONTENT)).toBe(true);
    expect(gathered.losses).toMatchObject([
      { index: 0, reason: 'unreachable', code: 'BACKEND_NOT_FOUND' },
      { index: 1, reason: 'missing' },
    ]);
  });

  it('survives two of five folders, is repaired into others, and survives two more', async () => {
    const folders = await inFolders('a', 'b', 'c', 'd', 'e');
    const spread = await spreadShardSet(setOf(), folders);
    const kept = formatShardSet(spread.set);
    const content = async (json: string, left: readonly NamedBackend[]) =>
      sameBytes((await gatherShardSet(json, left)).content, CONTENT);

    await rm(folders[0]?.path ?? '', { recursive: true });
    const { key = '' } = spread.set.shards[1]?.location ?? {};
    await folders[1]?.backend.put(key, noise(100_000, 9));
    expect(await content(kept, folders)).toBe(true);

    const added = await inFolders('f');
    const at = [...folders.slice(1), ...added];
    const repaired = await repairSpread(kept, at);
    expect(repaired).toMatchObject({ isWhole: true, backendLossesLeft: 2 });
    expect(namesOf(repaired.set)).toEqual(['f', 'b', 'c', 'd', 'e']);
    expect(await content(formatShardSet(repaired.set), at.slice(2))).toBe(true);
    await expect(gatherShardSet(repaired.set, at.slice(3))).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    await removeSpread(repaired.set, at);
    await expect(gatherShardSet(repaired.set, at)).rejects.toMatchObject({ code: 'SHARDS_INSUFFICIENT' });
  });
});

describe('what our-storage gets wrong with backends', () => {
  it('puts all shards on one backend without a word: here the result tells how many backends may be lost', async () => {
    const single = { strategy: 'single', backend: 'a' } as const;
    const spread = await spreadShardSet(setOf(), inMemory('a', 'b'), { places: single });
    expect(spread).toMatchObject({ lossesLeft: 2, backendLossesLeft: 0 });
    expect((await inspectSpread(spread.set, inMemory('a', 'b'))).backends[0]?.mayBeLost).toBe(false);
  });

  it('reads one after the other, and all of them: here k are read, side by side', async () => {
    const backends = inMemory('a', 'b', 'c', 'd', 'e');
    const { set } = await spreadShardSet(setOf(), backends);
    const { promise: all, resolve } = Promise.withResolvers<void>();
    for (const { backend } of backends) backend.fail({ call: 'get', how: 'wait', until: all });
    const asked = () => backends.map(({ backend }) => backend.trace.filter((call) => call.startsWith('get')).length);
    const gathering = gatherShardSet(set, backends, { hedgeMs: 60_000 });
    await expect.poll(asked).toEqual([1, 1, 1, 0, 0]);
    resolve();
    expect((await gathering).used).toEqual([0, 1, 2]);
  });

  it('leaves half a set behind: here what is too little is taken back', async () => {
    const backends = inMemory('a', 'b', 'c');
    backends[2]?.backend.fail({ call: 'put', how: 'before' });
    await expect(spreadShardSet(setOf('minimal'), backends, { shardsMin: 3 })).rejects.toMatchObject({
      code: 'REDUNDANCY_UNMET',
    });
    expect(await Promise.all(backends.map(({ backend }) => backend.list()))).toEqual([[], [], []]);
  });

  it('forgets where shards are when they are repaired: here locations and id stay', async () => {
    const backends = inMemory('a', 'b', 'c');
    const { set } = await spreadShardSet(setOf('minimal'), backends);
    await backends[1]?.backend.delete(set.shards[1]?.location?.key ?? '');
    const repaired = await repairSpread(set, backends);
    expect(parseShardSet(formatShardSet(repaired.set)).shards).toEqual(set.shards);
    expect(repaired.set.id).toBe(set.id);
  });
});
