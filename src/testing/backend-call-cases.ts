import assert from 'node:assert/strict';
import type { Backend } from '../backend/contract.ts';
import { isStoreError, type StoreError } from '../errors/store-error.ts';
import { BACKEND_KEY_DEPTH_MAX, BACKEND_KEY_LENGTH_MAX } from '../limits.ts';
import {
  allCalls,
  assertBytes,
  assertRejects,
  type BackendCase,
  filled,
  type OpenedBackend,
  writerOf,
} from './backend-case.ts';

const LONGEST_KEY = `a/${'b'.repeat(BACKEND_KEY_LENGTH_MAX - 2)}`;
const DEEPEST_KEY = Array.from({ length: BACKEND_KEY_DEPTH_MAX }, () => 'd').join('/');

const BAD_KEYS: readonly string[] = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/..',
  '.tmp/a',
  '.reserve',
  'a/.b',
  '-a',
  '_a',
  'A',
  'a b',
  'a\\b',
  'a\0',
  'a\n',
  'a%2f',
  'é',
  `${LONGEST_KEY}b`,
  `${DEEPEST_KEY}/d`,
];

const KEYS: readonly BackendCase[] = [
  {
    title: 'B9 a key outside the grammar is refused by every call',
    run: async (opened) => {
      const { backend } = opened;
      for (const key of BAD_KEYS) {
        if (backend.capabilities.writable) {
          await assertRejects(() => backend.put(key, filled(1, 1)), 'BACKEND_KEY_INVALID');
          await assertRejects(() => backend.delete(key), 'BACKEND_KEY_INVALID');
        }
        await assertRejects(() => backend.get(key), 'BACKEND_KEY_INVALID');
        await assertRejects(() => backend.head(key), 'BACKEND_KEY_INVALID');
      }
      for (const prefix of ['/', '..', '../', 'a//', 'a/.', 'A', '.', `${LONGEST_KEY}b`]) {
        await assertRejects(() => backend.list({ prefix }), 'BACKEND_KEY_INVALID');
        await assertRejects(() => backend.list({ after: prefix }), 'BACKEND_KEY_INVALID');
      }
      assert.deepEqual(await backend.list(), []);
    },
  },
  {
    title: 'B9 the longest, the deepest and the oddest legal keys are taken',
    run: async (opened) => {
      const keys = ['0', DEEPEST_KEY, LONGEST_KEY, 'x..', 'y/0.tmp', 'z-_.'].sort();
      for (const key of keys) await writerOf(opened).put(key, filled(3, key.length));
      for (const key of keys) assertBytes(await opened.backend.get(key), filled(3, key.length), key);
      assert.deepEqual(
        (await opened.backend.list()).map((blob) => blob.key),
        keys,
      );
    },
  },
  {
    title: 'B9 arguments of a wrong type or range are refused as such',
    run: async ({ backend }) => {
      await assert.rejects(() => backend.get(5 as unknown as string), TypeError);
      await assert.rejects(() => backend.get('a', { offset: -1 }), RangeError);
      await assert.rejects(() => backend.get('a', { length: 0.5 }), RangeError);
      for (const limit of [0, 1001, Number.NaN]) await assert.rejects(() => backend.list({ limit }), RangeError);
      if (backend.capabilities.writable)
        await assert.rejects(() => backend.put('a', 'text' as unknown as Uint8Array), TypeError);
    },
  },
];

const OWNERSHIP: readonly BackendCase[] = [
  {
    title: 'B10 the array given to put is neither changed nor kept',
    run: async (opened) => {
      const surroundings = filled(3000, 1);
      const value = surroundings.subarray(1000, 2000);
      await writerOf(opened).put('b10/key', value);
      assertBytes(surroundings, filled(3000, 1), 'the array after put');
      surroundings.fill(2);
      assertBytes(await opened.backend.get('b10/key'), filled(1000, 1), 'the blob after its array was used again');
    },
  },
  {
    title: "B10 the array that get gives is the caller's alone",
    run: async (opened) => {
      await writerOf(opened).put('b10/key', filled(1000, 1));
      for (const range of [{}, { offset: 100, length: 100 }]) {
        const first = await opened.backend.get('b10/key', range);
        const second = await opened.backend.get('b10/key', range);
        first?.fill(2);
        assertBytes(second, filled(second?.length ?? 0, 1), 'an answer given before');
        assertBytes(await opened.backend.get('b10/key'), filled(1000, 1), 'the blob');
      }
    },
  },
];

const ENDINGS: readonly BackendCase[] = [
  {
    title: 'B11 an aborted signal rejects every call with its reason, and nothing happens',
    run: async (opened) => {
      const reason = new Error('not now');
      await writerOf(opened).put('calls/there', filled(10, 1));
      const calls = allCalls(opened.backend, AbortSignal.abort(reason));
      for (const [name, call] of Object.entries(calls)) {
        if (!opened.backend.capabilities.writable && (name === 'put' || name === 'delete')) continue;
        await assert.rejects(call, (error) => error === reason, `${name} did not reject with the reason`);
      }
      assert.deepEqual(await opened.backend.list(), [{ key: 'calls/there', bytes: 10 }]);
    },
  },
  {
    title: 'B12 after close every call rejects, and closing twice is fine',
    run: async (opened) => {
      const { backend } = opened;
      await Promise.all([backend.close(), backend.close()]);
      await backend.close();
      for (const call of Object.values(allCalls(backend))) {
        const error = await assertRejects(call, 'BACKEND_CLOSED');
        assert.equal(error.kind, 'closed');
      }
    },
  },
];

async function failureOf(call: () => Promise<unknown>, what: string): Promise<StoreError> {
  const failure = await call().then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(isStoreError(failure), `${what}: ${failure === undefined ? 'resolved' : `${failure} is no store error`}`);
  return failure;
}

async function assertReadOnly(backend: Backend): Promise<void> {
  assert.equal(backend.capabilities.writable, false);
  assertBytes(await backend.get('b14/key'), filled(10, 1), 'a blob read without the right to write');
  await assertRejects(() => backend.put('b14/new', filled(1, 2)), 'READ_ONLY');
  await assertRejects(() => backend.put('b14/key', filled(1, 2)), 'READ_ONLY');
  await assertRejects(() => backend.delete('b14/key'), 'READ_ONLY');
  assert.deepEqual(await backend.list(), [{ key: 'b14/key', bytes: 10 }]);
}

const REFUSALS: readonly BackendCase[] = [
  {
    title: 'B13 a failure of the holder says whether to retry and what its cause was',
    run: async (opened, context) => {
      if (!opened.fail) return void context.skip('these bytes cannot be made to fail');
      await writerOf(opened).put('calls/there', filled(10, 1));
      await opened.fail();
      for (const [name, call] of Object.entries(allCalls(opened.backend))) {
        if (!opened.backend.capabilities.writable && (name === 'put' || name === 'delete')) continue;
        const failure = await failureOf(call, name);
        assert.ok(['unavailable', 'denied'].includes(failure.kind), `${name} failed as ${failure.kind}`);
        assert.equal(typeof failure.retry, 'boolean');
        assert.ok(failure.cause !== undefined, `${name} lost the cause`);
      }
    },
  },
  {
    title: 'B13 what trying again cannot change says so',
    run: async (opened) => {
      await writerOf(opened).put('b13/key', filled(10, 1));
      const refusals: readonly (() => Promise<unknown>)[] = [
        () => opened.backend.get('b13/key', { length: 11 }),
        () => opened.backend.get('B13'),
        () => writerOf(opened).put('b13/key', filled(1, 2), { ifAbsent: true }),
      ];
      for (const [index, call] of refusals.entries()) {
        assert.equal((await failureOf(call, `refusal ${index}`)).retry, false, `refusal ${index} asks to be retried`);
      }
    },
  },
  {
    title: 'B14 a read-only backend reads, and rejects writes as denied',
    run: async (opened: OpenedBackend, context) => {
      await writerOf(opened).put('b14/key', filled(10, 1));
      if (!opened.backend.capabilities.writable) return assertReadOnly(opened.backend);
      if (!opened.openReadOnly) return void context.skip('these bytes cannot be opened read-only');
      const readOnly = await opened.openReadOnly();
      try {
        await assertReadOnly(readOnly);
      } finally {
        await readOnly.close();
      }
    },
  },
];

/** Tests of how every call behaves: B9 to B14. */
export const CALL_CASES: readonly BackendCase[] = [...KEYS, ...OWNERSHIP, ...ENDINGS, ...REFUSALS];
