import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { SERVER_EVENTS_HELD_MAX } from '../../src/limits.ts';
import { StoreEventSource } from '../../src/server/jobs/store-events.ts';
import { noise } from '../support/contents.ts';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
beforeAll(async () => {
  served = await serveStore();
  for (let index = 0; index < 4; index += 1) await served.store.put(`k${index}`, noise(200_000, index));
});
afterAll(() => served.close());

interface JobAnswer {
  readonly id: string;
  readonly state: string;
}

async function start(from: ServedStore, job: object): Promise<JobAnswer> {
  const answer = await from.post('/jobs', job);
  const { id, state } = (await answer.json()) as JobAnswer;
  expect([answer.status, answer.headers.get('location'), state]).toEqual([201, `/jobs/${id}`, 'running']);
  return { id, state };
}

/** Reads server-sent events one by one. */
async function* eventsOf(
  from: ServedStore,
  path: string,
): AsyncGenerator<{ event: string; data: Record<string, unknown> }> {
  const answer = await from.request(path);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of answer.body ?? []) {
    text += decoder.decode(piece as Uint8Array, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) };
    }
  }
}

const act = (job: JobAnswer, action: string) => served.request(`/jobs/${job.id}/${action}`, { method: 'POST' });

describe('a job', () => {
  it.each(['check', 'verify', 'scrub', 'repair', 'gc'])('%s runs, is watched to its end, and reports', async (kind) => {
    const job = await start(served, { kind });
    const states: unknown[] = [];
    let last: Record<string, unknown> = {};
    for await (const { event, data } of eventsOf(served, `/jobs/${job.id}/events`)) {
      expect(event).toBe('job');
      states.push(data.state);
      last = data;
    }
    expect(states.at(-1)).toBe('done');
    expect(last).toMatchObject({ kind, startedBy: 'address 127.0.0.1', report: { outcome: 'ok' } });
    expect(await served.json(`/jobs/${job.id}`)).toEqual(last);
    expect(await served.json('/jobs')).toMatchObject({ jobs: expect.arrayContaining([last]) });
    await expectProblem(await act(job, 'pause'), 'conflict/JOB_ENDED', 409);
  });

  it('is paused, goes on and is cancelled; and no other of its kind begins meanwhile', async () => {
    const job = await start(served, { kind: 'verify', bytesPerSecond: 1 });
    await expectProblem(await served.post('/jobs', { kind: 'verify' }), 'unavailable/JOB_HELD', 503);
    const states: unknown[] = [];
    for await (const { data } of eventsOf(served, `/jobs/${job.id}/events`)) {
      if (states.at(-1) === data.state) continue;
      states.push(data.state);
      if (states.length === 1) await act(job, 'pause');
      if (states.length === 2) await act(job, 'resume');
      if (states.length === 3) await act(job, 'cancel');
    }
    expect(states).toEqual(['running', 'paused', 'running', 'cancelled']);
    await start(served, { kind: 'gc', dryRun: true });
  });

  it('is refused what its kind does not know, and who asks for another one', async () => {
    await expectProblem(await served.post('/jobs', { kind: 'check', dryRun: true }), 'invalid/REQUEST_INVALID', 400);
    await expectProblem(await served.post('/jobs', { kind: 'destroy' }), 'invalid/REQUEST_INVALID', 400);
    await expectProblem(await served.request('/jobs/nobody'), 'not-found/JOB_NOT_FOUND', 404);
  });

  it('ends with its server, and so do those who watch', async () => {
    const stopping = await serveStore();
    await stopping.store.put('k', noise(500_000, 1));
    const job = await start(stopping, { kind: 'verify', bytesPerSecond: 1 });
    const watched = Array.fromAsync(eventsOf(stopping, `/jobs/${job.id}/events`));
    const numbers = eventsOf(stopping, '/events');
    expect(await numbers.next()).toMatchObject({ value: { event: 'numbers', data: { puts: 1 } } });
    await stopping.close();
    expect((await numbers.next()).done).toBe(true);
    expect((await watched).length).toBeGreaterThan(0);
  });

  it('tells why it failed, and nothing of the server', async () => {
    await using failing = await serveStore();
    await failing.store.close();
    const { id } = await start(failing, { kind: 'check' });
    const [last] = (await Array.fromAsync(eventsOf(failing, `/jobs/${id}/events`))).slice(-1);
    expect(last?.data).toMatchObject({ state: 'failed', problem: { code: 'STORE_CLOSED', status: 503 } });
    expect(failing.logged).toMatchObject([{ message: 'a job failed: check' }]);
  });
});

describe('what happens in a store', () => {
  it('waits for a slow listener, but not without end', () => {
    const emitter = new EventEmitter();
    const store = Object.assign(emitter, { metrics: () => ({ puts: 1 }) }) as unknown as Store;
    {
      using source = new StoreEventSource(store);
      source.listen();
      emitter.emit('damage', { id: 1 });
      expect([...source.take()]).toEqual([
        { event: 'numbers', data: { puts: 1 } },
        { event: 'damage', data: { id: 1 } },
      ]);
      for (let id = 0; id < SERVER_EVENTS_HELD_MAX + 3; id += 1) emitter.emit('loss', { id });
      const told = [...source.take()];
      expect(told).toHaveLength(1 + SERVER_EVENTS_HELD_MAX);
      expect(told.slice(0, 2)).toEqual([
        { event: 'missed', data: { count: 3 } },
        { event: 'loss', data: { id: 3 } },
      ]);
      expect([...source.take()]).toEqual([]);
    }
    expect(emitter.eventNames()).toEqual([]);
  });
});
