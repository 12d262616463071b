import assert from 'node:assert/strict';
import type { Backend } from '../backend/contract.ts';
import { isStoreError } from '../errors/store-error.ts';
import { yieldToEventLoop } from '../runtime/timers.ts';
import { assertBytes, assertRejects, type BackendCase, filled, type OpenedBackend, writerOf } from './backend-case.ts';

async function keysOf(backend: Backend): Promise<readonly string[]> {
  return (await backend.list()).map((blob) => blob.key);
}

/** Reads a key over and over while a put runs; every answer must be one of the two values, whole. */
async function assertWholeWhile(put: Promise<void>, backend: Backend, values: readonly Uint8Array[]): Promise<void> {
  let running = true;
  const isWhole = (bytes: Uint8Array | undefined) =>
    values.some(
      (value) =>
        bytes !== undefined && value.length === bytes.length && value[0] === bytes[0] && value[0] === bytes.at(-1),
    );
  const watch = async () => {
    while (running) {
      const [bytes, info] = await Promise.all([backend.get('b2/key'), backend.head('b2/key')]);
      assert.ok(isWhole(bytes), `a reader saw ${bytes?.length} bytes from ${bytes?.[0]} to ${bytes?.at(-1)}`);
      assert.ok(
        values.some((value) => value.length === info?.bytes),
        `a reader saw a size of ${info?.bytes}`,
      );
      await yieldToEventLoop();
    }
  };
  const ended = put.finally(() => {
    running = false;
  });
  await Promise.all([ended, watch()]);
}

const VISIBLE: readonly BackendCase[] = [
  {
    title: 'B1 a blob is there for get, head and list once put has resolved',
    run: async (opened) => {
      for (const length of [0, 1, 4096, 70_000]) {
        const key = `b1/${length}`;
        await writerOf(opened).put(key, filled(length, 7));
        assertBytes(await opened.backend.get(key), filled(length, 7), key);
        assert.deepEqual(await opened.backend.head(key), { key, bytes: length });
        assert.deepEqual(await opened.backend.list({ prefix: key, limit: 1 }), [{ key, bytes: length }]);
      }
    },
  },
  {
    title: 'B1 a replaced blob is seen by whoever read it before, whole and in part',
    run: async (opened) => {
      await writerOf(opened).put('b1/key', filled(100, 1));
      assertBytes(await opened.backend.get('b1/key', { offset: 10, length: 5 }), filled(5, 1), 'the old part');
      await writerOf(opened).put('b1/key', filled(50, 2));
      assertBytes(await opened.backend.get('b1/key'), filled(50, 2), 'the new value');
      assertBytes(await opened.backend.get('b1/key', { offset: 10, length: 5 }), filled(5, 2), 'the new part');
      assert.equal((await opened.backend.head('b1/key'))?.bytes, 50);
    },
  },
  {
    title: 'B1 a deleted blob is gone for get, head and list',
    run: async (opened) => {
      await writerOf(opened).put('b1/key', filled(10, 1));
      assertBytes(await opened.backend.get('b1/key'), filled(10, 1), 'before');
      await writerOf(opened).delete('b1/key');
      assert.equal(await opened.backend.get('b1/key'), undefined);
      assert.equal(await opened.backend.head('b1/key'), undefined);
      assert.deepEqual(await keysOf(opened.backend), []);
    },
  },
  {
    title: 'B1 a second backend over the same bytes sees what the first one put, and its replacement',
    run: async (opened, context) => {
      if (!opened.reopen) return void context.skip('these bytes cannot be opened twice');
      const second = await opened.reopen();
      try {
        for (const value of [1, 2]) {
          await writerOf(opened).put('b1/key', filled(10, value));
          assertBytes(await second.get('b1/key'), filled(10, value), `value ${value}`);
        }
      } finally {
        await second.close();
      }
    },
  },
  {
    title: 'B2 readers beside a put see the old value or the new one, whole',
    run: async (opened) => {
      const values = [filled(300_000, 1), filled(200_000, 2)];
      await writerOf(opened).put('b2/key', values[0] ?? filled(0, 0));
      for (const value of values.toReversed())
        await assertWholeWhile(writerOf(opened).put('b2/key', value), opened.backend, values);
    },
  },
  {
    title: 'B2 a put that was aborted on its way leaves the old value or none',
    run: async (opened) => {
      const writer = writerOf(opened);
      await writer.put('b2/old', filled(1000, 1));
      for (let turns = 0; turns < 12; turns += 1) {
        for (const key of ['b2/old', 'b2/none']) {
          const abort = new AbortController();
          const before = await writer.get(key);
          const put = writer.put(key, filled(100_000 + turns, 2), { signal: abort.signal }).then(
            () => undefined,
            (error) => ({ error }),
          );
          for (let turn = 0; turn < turns; turn += 1) await yieldToEventLoop();
          abort.abort(new Error('enough'));
          const failure = await put;
          if (failure) assert.equal(failure.error, abort.signal.reason);
          const after = await opened.backend.get(key);
          if (!failure) assertBytes(after, filled(100_000 + turns, 2), `${key} after the put was too fast to abort`);
          else if (before) assertBytes(after, before, `${key} after the abort`);
          else assert.equal(after, undefined);
        }
        await writer.delete('b2/none');
      }
      for (const key of await keysOf(opened.backend)) assert.equal(key, 'b2/old');
    },
  },
];

const DURABLE: readonly BackendCase[] = [
  {
    title: 'B3 what was put, replaced and deleted survives a crash, if and only if the backend says so',
    run: async (opened, context) => {
      const { durable } = opened.backend.capabilities;
      const crash = opened.crash?.bind(opened);
      if (!crash) {
        assert.ok(
          !durable,
          'a backend that says it is durable must be opened with `crash`, so that this can be tested',
        );
        return void context.skip('not durable, and cannot be crashed');
      }
      const writer = writerOf(opened);
      await writer.put('b3/new', filled(5000, 1));
      await writer.put('b3/deep/er', filled(1, 2));
      await writer.put('b3/replaced', filled(10, 3));
      await writer.put('b3/replaced', filled(20, 4));
      await writer.put('b3/deleted', filled(10, 5));
      await writer.delete('b3/deleted');
      if (writer.capabilities.ifAbsent) await writer.put('b3/once', filled(30, 6), { ifAbsent: true });
      const after = await crash();
      try {
        if (!durable) return assert.deepEqual(await keysOf(after), []);
        assertBytes(await after.get('b3/new'), filled(5000, 1), 'a new blob');
        assertBytes(await after.get('b3/deep/er'), filled(1, 2), 'a blob in a new folder');
        assertBytes(await after.get('b3/replaced'), filled(20, 4), 'a replaced blob');
        assert.equal(await after.get('b3/deleted'), undefined);
        if (writer.capabilities.ifAbsent) assertBytes(await after.get('b3/once'), filled(30, 6), 'a blob created once');
      } finally {
        await after.close();
      }
    },
  },
];

async function assertUnsupported(writer: Backend): Promise<void> {
  await assertRejects(() => writer.put('b4/key', filled(1, 1), { ifAbsent: true }), 'CAPABILITY_UNSUPPORTED');
  assert.equal(await writer.head('b4/key'), undefined);
}

const ONCE: readonly BackendCase[] = [
  {
    title: 'B4 a conditional create makes an absent blob and refuses a taken key, which keeps its value',
    run: async (opened) => {
      const writer = writerOf(opened);
      if (!writer.capabilities.ifAbsent) return assertUnsupported(writer);
      await writer.put('b4/key', filled(10, 1), { ifAbsent: true });
      await assertRejects(() => writer.put('b4/key', filled(20, 2), { ifAbsent: true }), 'BLOB_EXISTS');
      assertBytes(await opened.backend.get('b4/key'), filled(10, 1), 'the first value');
      await writer.delete('b4/key');
      await writer.put('b4/key', filled(30, 3), { ifAbsent: true });
      assertBytes(await opened.backend.get('b4/key'), filled(30, 3), 'created again after it was deleted');
    },
  },
  {
    title: 'B4 of many conditional creates at once exactly one wins',
    run: async (opened) => {
      const writer = writerOf(opened);
      if (!writer.capabilities.ifAbsent) return assertUnsupported(writer);
      for (let round = 0; round < 4; round += 1) {
        const key = `b4/race-${round}`;
        const create = (value: number) => writer.put(key, filled(100 + value, value), { ifAbsent: true });
        const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, value) => create(value)));
        const winners = outcomes.flatMap((outcome, value) => (outcome.status === 'fulfilled' ? [value] : []));
        assert.equal(winners.length, 1, `${winners.length} creators won`);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected')
            assert.ok(isStoreError(outcome.reason, 'BLOB_EXISTS'), String(outcome.reason));
        }
        const winner = winners[0] ?? 0;
        assertBytes(await opened.backend.get(key), filled(100 + winner, winner), 'the value of the winner');
      }
    },
  },
];

async function mixedLoad(opened: OpenedBackend, task: number): Promise<void> {
  const writer = writerOf(opened);
  const key = `b15/${task % 4}/${task}`;
  for (let round = 0; round < 3; round += 1) {
    const value = filled(1000 + task, task + round);
    await writer.put(key, value);
    assertBytes(await opened.backend.get(key), value, key);
    assertBytes(await opened.backend.get(key, { offset: 500, length: 100 }), value.slice(500, 600), `${key} in part`);
    assert.ok(
      (await opened.backend.list({ prefix: 'b15/' })).some((blob) => blob.key === key),
      `${key} is not listed`,
    );
    await writer.delete(key);
    assert.equal(await opened.backend.head(key), undefined);
  }
  await writer.put(key, filled(10, task));
}

const LIMITS: readonly BackendCase[] = [
  {
    title: 'B15 calls side by side up to concurrencyMax do not disturb each other',
    run: async (opened) => {
      const tasks = Array.from({ length: opened.backend.capabilities.concurrencyMax }, (_, task) => task);
      await Promise.all(tasks.map((task) => mixedLoad(opened, task)));
      assert.equal((await opened.backend.list({ prefix: 'b15/' })).length, tasks.length);
      for (const task of tasks)
        assertBytes(await opened.backend.get(`b15/${task % 4}/${task}`), filled(10, task), `task ${task}`);
    },
  },
  {
    title: 'B16 a value of blobBytesMax is taken, one byte more is refused',
    run: async (opened) => {
      const writer = writerOf(opened);
      const { blobBytesMax } = writer.capabilities;
      const tooLarge = filled(blobBytesMax + 1, 9);
      await assertRejects(() => writer.put('b16/key', tooLarge), 'BLOB_TOO_LARGE');
      assert.equal(await opened.backend.head('b16/key'), undefined);
      await writer.put('b16/key', tooLarge.subarray(1));
      assertBytes(await opened.backend.get('b16/key'), tooLarge.subarray(1), 'the largest value');
    },
  },
];

/** Tests of what a put promises: B1 to B4, B15 and B16. */
export const WRITE_CASES: readonly BackendCase[] = [...VISIBLE, ...DURABLE, ...ONCE, ...LIMITS];
