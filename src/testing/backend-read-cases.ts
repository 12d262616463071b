import assert from 'node:assert/strict';
import type { Backend, BlobInfo } from '../backend/contract.ts';
import { listAll } from '../backend/list-all.ts';
import { isStoreError } from '../errors/store-error.ts';
import { allCalls, assertBytes, assertRejects, type BackendCase, filled, writerOf } from './backend-case.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

/** Keys whose order goes wrong where folders are walked by name: `/` stands behind `-` and `.` and before digits. */
const ORDERED_KEYS: readonly string[] = [
  'a-b',
  'a-b.c/d',
  'a.b/c.',
  'a.c',
  'a/b-c',
  'a/b/c',
  'a/b0',
  'a0/b',
  'a1',
  'aa',
  'b/0',
  'b/00',
  'b_c',
  'z/y/x/w',
];

const EVERY_CHARACTER = [...'-.0123456789_abcdefghijklmnopqrstuvwxyz'];

function randomKey(random: SeededRandom): string {
  const parts: string[] = [];
  // The last component ends in a letter that folders never end in, so that no key is the folder of another.
  for (let depth = 1 + random.integer(3); depth > 0; depth -= 1) {
    const start = 'ab0'[random.integer(3)] ?? 'a';
    parts.push(start + (EVERY_CHARACTER[random.integer(EVERY_CHARACTER.length)] ?? '') + (depth === 1 ? 'z' : 'f'));
  }
  return parts.join('/');
}

async function drain(blobs: AsyncIterable<BlobInfo>): Promise<string[]> {
  const keys: string[] = [];
  for await (const blob of blobs) keys.push(blob.key);
  return keys;
}

async function pages(backend: Backend, window: { readonly prefix: string; readonly limit: number }): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const after = keys.at(-1);
    const page = await backend.list({ ...window, ...(after !== undefined && { after }) });
    assert.ok(page.length <= window.limit, `a page of ${page.length} keys, ${window.limit} asked`);
    keys.push(...page.map((blob) => blob.key));
    if (page.length < window.limit) return keys;
    assert.ok(page.at(-1)?.key !== after, 'a page repeats the one before');
  }
}

const ABSENT: readonly BackendCase[] = [
  {
    title: 'B5 an absent key is undefined for get and head, whatever is asked of it',
    run: async (opened) => {
      await writerOf(opened).put('b5/there/really', filled(10, 1));
      for (const key of ['absent', 'b5/absent', 'b5/there/absent', 'b5/absent/absent']) {
        assert.equal(await opened.backend.get(key), undefined, key);
        assert.equal(await opened.backend.get(key, { offset: 5, length: 5 }), undefined, key);
        assert.equal(await opened.backend.head(key), undefined, key);
      }
    },
  },
  {
    title: 'B5 a holder that fails is an error for every call, never an absent blob or an empty list',
    run: async (opened, context) => {
      if (!opened.fail) return void context.skip('these bytes cannot be made to fail');
      await writerOf(opened).put('calls/there', filled(10, 1));
      await opened.fail();
      const { put: _put, delete: _delete, ...reads } = allCalls(opened.backend);
      for (const [name, call] of Object.entries({ ...reads, absent: () => opened.backend.get('calls/absent') })) {
        await assert.rejects(call, (error) => isStoreError(error), `${name} did not reject with a store error`);
      }
    },
  },
  {
    title: 'B7 deleting an absent key succeeds, also twice',
    run: async (opened) => {
      const writer = writerOf(opened);
      await writer.put('b7/key', filled(1, 1));
      for (const key of ['b7/key', 'b7/key', 'b7/absent', 'absent', 'b7/no/such/folder']) await writer.delete(key);
      assert.deepEqual(await opened.backend.list(), []);
    },
  },
];

const RANGES: readonly BackendCase[] = [
  {
    title: 'B6 every range within a blob gives exactly its bytes, an empty one too',
    run: async (opened) => {
      const value = Uint8Array.from({ length: 2000 }, (_, index) => index % 251);
      await writerOf(opened).put('b6/key', value);
      for (const [offset, length] of [
        [0, 0],
        [0, 1],
        [0, 2000],
        [1, 1998],
        [1999, 1],
        [2000, 0],
        [700, 600],
      ] as const) {
        assertBytes(
          await opened.backend.get('b6/key', { offset, length }),
          value.slice(offset, offset + length),
          `${offset}+${length}`,
        );
      }
      assertBytes(await opened.backend.get('b6/key', { offset: 1500 }), value.slice(1500), 'from 1500');
      assertBytes(await opened.backend.get('b6/key', { offset: 2000 }), value.slice(2000), 'from the end');
      assertBytes(await opened.backend.get('b6/key', { length: 10 }), value.slice(0, 10), 'the first ten');
    },
  },
  {
    title: 'B6 a range past the end is refused, never shortened',
    run: async (opened) => {
      await writerOf(opened).put('b6/key', filled(100, 1));
      await writerOf(opened).put('b6/empty', filled(0, 1));
      for (const range of [
        { offset: 0, length: 101 },
        { offset: 99, length: 2 },
        { offset: 101, length: 0 },
        { offset: 101 },
        { length: 2 ** 40 },
      ]) {
        const error = await assertRejects(() => opened.backend.get('b6/key', range), 'BACKEND_RANGE_INVALID');
        assert.equal(error.retry, false);
      }
      await assertRejects(() => opened.backend.get('b6/empty', { length: 1 }), 'BACKEND_RANGE_INVALID');
      assertBytes(await opened.backend.get('b6/empty', { offset: 0, length: 0 }), filled(0, 1), 'nothing of nothing');
    },
  },
];

const LISTS: readonly BackendCase[] = [
  {
    title: 'B8 list is in byte order of whole keys, with sizes, each key once',
    run: async (opened) => {
      for (const [index, key] of ORDERED_KEYS.toReversed().entries()) await writerOf(opened).put(key, filled(index, 1));
      const expected = ORDERED_KEYS.map((key, index) => ({ key, bytes: ORDERED_KEYS.length - 1 - index }));
      assert.deepEqual(await opened.backend.list(), expected);
    },
  },
  {
    title: 'B8 list honours prefix, after and limit, alone and together',
    run: async (opened) => {
      for (const key of ORDERED_KEYS) await writerOf(opened).put(key, filled(1, 1));
      for (const prefix of ['', 'a', 'a/', 'a/b', 'a-', 'b/0', 'b/00', 'c', 'z/y/x/']) {
        for (const after of [undefined, 'a', 'a-b', 'a/', 'a/b/c', 'a0', 'b/0', 'b/00', 'z/y/x/w', 'zz']) {
          const expected = ORDERED_KEYS.filter((key) => key.startsWith(prefix) && (after === undefined || key > after));
          const window = { prefix, ...(after !== undefined && { after }) };
          const found = (await opened.backend.list(window)).map((blob) => blob.key);
          assert.deepEqual(found, expected, `prefix ${prefix}, after ${after}`);
          const first = (await opened.backend.list({ ...window, limit: 2 })).map((blob) => blob.key);
          assert.deepEqual(first, expected.slice(0, 2), `prefix ${prefix}, after ${after}, two`);
        }
      }
    },
  },
  {
    title: 'B8 pages of any size put together are the whole list, for random keys (seed 8)',
    run: async (opened) => {
      const random = seededRandom(8);
      const keys = [...new Set(Array.from({ length: 60 }, () => randomKey(random)))].sort();
      await Promise.all(keys.map((key) => writerOf(opened).put(key, filled(1, 1))));
      assert.deepEqual(await drain(listAll(opened.backend)), keys);
      for (const limit of [1, 2, 7, keys.length, keys.length + 1]) {
        for (const prefix of ['', 'a', '0', keys[17] ?? '']) {
          const expected = keys.filter((key) => key.startsWith(prefix));
          assert.deepEqual(
            await pages(opened.backend, { prefix, limit }),
            expected,
            `pages of ${limit} under ${prefix}`,
          );
        }
      }
    },
  },
];

/** Tests of what readers may rely on: B5 to B8. */
export const READ_CASES: readonly BackendCase[] = [...ABSENT, ...RANGES, ...LISTS];
