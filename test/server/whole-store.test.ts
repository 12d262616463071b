import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/server/index.ts';
import { Rate } from '../../src/server/limits/rate.ts';
import type { Settings } from '../../src/server/settings.ts';
import { noise } from '../support/contents.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { expectProblem, type ServedStore, serveStore } from '../support/served-store.ts';

let served: ServedStore;
const audited: AuditEvent[] = [];
beforeAll(async () => {
  served = await serveStore({ create: { keys: { key: STORE_KEY } }, audit: (event) => audited.push(event) });
});
afterAll(() => served.close());

describe('a sealed store', () => {
  it('has namespaces that are made, counted and bounded', async () => {
    const made = await served.post('/namespaces', { name: 'customer 17/a', quotaBytes: 10 });
    expect([made.status, await made.json()]).toEqual([
      201,
      expect.objectContaining({ name: 'customer 17/a', quotaBytes: 10 }),
    ]);
    await expectProblem(await served.post('/namespaces', { name: 'customer 17/a' }), 'conflict/NAMESPACE_EXISTS', 409);
    const scope = `/namespaces/${encodeURIComponent('customer 17/a')}`;
    const put = (text: string) => served.request(`${scope}/files/k/1`, { method: 'PUT', body: text });
    expect((await put('small')).headers.get('location')).toBe(`${scope}/files/k/1`);
    await expectProblem(await put('larger than ten'), 'exhausted/QUOTA_EXCEEDED', 507);
    const body = JSON.stringify({ quotaBytes: null });
    const lifted = await served.request(`${scope}/quota`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(await lifted.json()).not.toHaveProperty('quotaBytes');
    expect((await put('larger than ten')).status).toBe(201);
    expect(await served.json(scope)).toMatchObject({ entries: 1, logicalBytes: 15 });
    expect(await served.json('/namespaces')).toMatchObject({
      namespaces: [{ name: 'default' }, { name: 'customer 17/a' }],
    });
    expect(await (await served.request(`${scope}/files/k%2F1`)).text()).toBe('larger than ten');
    const drop = (query: string) => served.request(`${scope}${query}`, { method: 'DELETE' });
    await expectProblem(await drop(''), 'invalid/REQUEST_INVALID', 400);
    expect(await (await drop('?shred=true')).json()).toEqual({ done: true, pending: [] });
    await expectProblem(await served.request(`${scope}/files/k/1`), 'not-found/NAMESPACE_NOT_FOUND', 404);
    await expectProblem(await drop('?shred=true'), 'not-found/NAMESPACE_NOT_FOUND', 404);
  });

  it('tells of its keys what is no secret, and of its backends where things are', async () => {
    const keys = await (await served.request('/keys')).text();
    expect(JSON.parse(keys)).toMatchObject({
      slots: [{ id: expect.any(String) }],
      writers: [],
      epochs: [{ epoch: 1 }],
    });
    expect(keys).not.toContain(Buffer.from(STORE_KEY).toString('hex'));
    expect(await served.json('/status')).toMatchObject({ redundancy: 'none', backends: [{ health: { state: 'up' } }] });
  });

  it('is counted for Prometheus', async () => {
    await served.put('counted', 'x');
    const answer = await served.request('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    const text = await answer.text();
    expect(text).toMatch(/^holdfast_http_requests_total\{method="PUT",status="201"\} [1-9]/m);
    expect(text).toMatch(/^holdfast_http_request_seconds_bucket\{le="\+Inf"\} [1-9]/m);
    expect(text).toMatch(/^# TYPE holdfast_store_stored_bytes gauge\nholdfast_store_stored_bytes [1-9]/m);
    expect(text).toMatch(/^holdfast_bytes_in_total [1-9]/m);
    expect(text).toMatch(/^holdfast_event_loop_delay_seconds_bucket\{le="0.2"\} [1-9]/m);
    expect(text).toMatch(/^process_resident_memory_bytes [1-9]\d{6,}\n# TYPE process_cpu_seconds_total counter\n/m);
    const wrong = text
      .split('\n')
      .filter((line) => !/^(?:#.*|[a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? [-+.e\d]+|)$/.test(line));
    expect(wrong).toEqual([]);
  });

  it('has every change and every refusal written down, and no reading', async () => {
    audited.length = 0;
    await served.put('a/b c', 'x');
    await served.request('/files/a/b%20c');
    await served.request('/files/a/b%20c', { headers: { authorization: 'Bearer wrong' } });
    expect(audited).toMatchObject([
      {
        caller: 'address 127.0.0.1',
        method: 'PUT',
        path: '/files/a/b%20c',
        status: 201,
        time: expect.stringMatching(/Z$/),
      },
      { caller: 'address 127.0.0.1', method: 'GET', path: '/files/a/b%20c', status: 401 },
    ]);
    expect(audited).toHaveLength(2);
  });
});

describe('a plain store', () => {
  it('has no namespaces but the default one, and no keys', async () => {
    await using plain = await serveStore();
    await plain.put('k', 'v');
    expect(await (await plain.request('/namespaces/default/files/k')).text()).toBe('v');
    await expectProblem(await plain.request('/namespaces/other/files/k'), 'not-found/NAMESPACE_NOT_FOUND', 404);
    await expectProblem(await plain.request('/keys'), 'denied/STORE_NOT_SEALED', 403);
  });
});

describe('what a server remembers', () => {
  it('of verifications is told by days, and of space since it was started', async () => {
    await using served = await serveStore();
    await served.store.put('a', noise(300_000, 4));
    const days = async () => (await served.json<{ days: { day?: string; packs: number }[] }>('/verified')).days;
    const before = await days();
    expect(before).toEqual([{ packs: expect.any(Number) }]);
    await served.store.maintenance.verify();
    const [today, never] = await days();
    expect(today).toEqual({ day: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/), packs: expect.any(Number) });
    expect(never).toBeUndefined();
    const { samples } = await served.json<{ samples: { logicalBytes: number; time: string }[] }>('/history');
    expect(samples.at(-1)).toMatchObject({ entries: 1, logicalBytes: 300_000 });
  });
});

describe('a rate', () => {
  it('lets each caller in as often as it says, however often one asks', () => {
    let now = 0;
    const limits = { requestsPerSecond: 4 } as Settings['limits'];
    const rate = new Rate({ limits, clock: { now: () => now, monotonicMs: () => now } });
    const ask = (caller: string): number => {
      try {
        rate.take(caller);
        return 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'REQUESTS_EXCEEDED' });
        return 0;
      }
    };
    // As many at once as a second lets in; then four a second, of a caller who asks a hundred times in it.
    let inAtOnce = 0;
    for (let times = 0; times < 10; times += 1) inAtOnce += ask('one');
    expect([inAtOnce, ask('other')]).toEqual([4, 1]);
    let inLater = 0;
    for (; now < 10_000; now += 10) inLater += ask('one');
    expect(inLater).toBeGreaterThanOrEqual(39);
    expect(inLater).toBeLessThanOrEqual(40);
  });

  it('is told of to whoever asks too often', async () => {
    await using slow = await serveStore({ limits: { requestsPerSecond: 0.001 } });
    expect((await slow.request('/healthz')).status).toBe(200);
    await expectProblem(await slow.request('/healthz'), 'unavailable/REQUESTS_EXCEEDED', 429);
  });
});
