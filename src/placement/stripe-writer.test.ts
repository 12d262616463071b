import { describe, expect, it } from 'vitest';
import { packOf, spreadOver } from '../../test/support/spread.ts';
import { storeError } from '../errors/store-error.ts';
import { shardKey } from '../format/index.ts';

const NEVER = { until: new Promise<never>(() => undefined), how: 'wait' } as const;
const BROKEN = { call: 'put', how: 'before', times: Number.POSITIVE_INFINITY } as const;

describe('writing a stripe', () => {
  it('puts every shard on a backend of its own', async () => {
    const { packs, backends } = spreadOver(5);
    const pack = await packs.write(packOf());
    expect([...(pack.places ?? [])].sort()).toEqual([1, 2, 3, 4, 5]);
    for (const backend of backends) expect(await backend.list()).toHaveLength(1);
  });

  it('takes another backend for one that fails', async () => {
    const { packs, backends } = spreadOver(7);
    backends[2]?.fail(BROKEN);
    for (let count = 0; count < 5; count += 1) {
      const { places = [] } = await packs.write(packOf());
      expect(places).not.toContain(0);
      expect(places).not.toContain(3);
    }
  });

  it('is content with k+w shards, and says which are missing', async () => {
    const { packs, backends } = spreadOver(5);
    backends[0]?.fail(BROKEN);
    const pack = await packs.write(packOf());
    expect(pack.places?.filter((place) => place === 0)).toHaveLength(1);
    expect((await packs.openWhole(pack))?.bytes).toHaveLength(pack.packBytes);
  });

  it('refuses fewer, takes back what it wrote, and names who failed', async () => {
    const { packs, backends } = spreadOver(5);
    for (const at of [0, 1]) backends[at]?.fail(BROKEN);
    const writing = packs.write(packOf());
    await expect(writing).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET', details: { expected: 4, actual: 3 } });
    await expect(writing).rejects.toThrow(/b1: .*b2: /);
    for (const backend of backends) expect(await backend.list()).toEqual([]);
  });

  it('says that the disks are full when all of them are', async () => {
    const { packs, backends } = spreadOver(5);
    const error = storeError('DISK_FULL', 'no space left');
    for (const backend of backends) backend.fail({ ...BROKEN, error });
    await expect(packs.write(packOf())).rejects.toBe(error);
  });

  it('does not wait for a backend that hangs once enough shards are there', async () => {
    const { packs, backends, set } = spreadOver(5, { policy: { graceMs: 20, timeoutMs: 10_000 } });
    backends[3]?.fail({ ...NEVER, call: 'put' });
    const { places = [] } = await packs.write(packOf());
    expect(places.filter((place) => place === 0)).toHaveLength(1);
    expect(set.find(4)?.health).toMatchObject({ state: 'down', failures: 1 });
  });

  it('gives a backend that hangs its time, and no more, where it is needed', async () => {
    const { packs, backends } = spreadOver(5, { policy: { graceMs: 20, timeoutMs: 60 } });
    for (const at of [0, 4]) backends[at]?.fail({ ...NEVER, call: 'put' });
    await expect(packs.write(packOf())).rejects.toMatchObject({ code: 'REDUNDANCY_UNMET' });
  });

  it('leaves a backend that failed alone for a while, but not when it is needed', async () => {
    const { packs, backends } = spreadOver(5);
    backends[1]?.fail({ ...BROKEN, times: 1 });
    expect((await packs.write(packOf())).places).toContain(0);
    const before = backends[1]?.trace.length;
    expect((await packs.write(packOf())).places).toContain(0);
    expect(backends[1]?.trace.length).toBe(before);
    backends[0]?.fail({ ...BROKEN, times: 1 });
    expect((await packs.write(packOf())).places).toContain(2);
  });

  it('shares backends evenly where there are too few of them', async () => {
    const { packs } = spreadOver(3);
    const { places = [] } = await packs.write(packOf());
    const counts = [1, 2, 3].map((number) => places.filter((place) => place === number).length).sort();
    expect(counts).toEqual([1, 2, 2]);
  });

  it('keeps failure domains apart first', async () => {
    const { packs, set } = spreadOver(8, { domains: ['x', 'x', 'x', 'x', 'a', 'b', 'c', 'd'] });
    for (let count = 0; count < 10; count += 1) {
      const { places = [] } = await packs.write(packOf(1000));
      const domains = places.map((place) => set.get(place).facts.domain);
      expect(new Set(domains).size).toBe(domains.length);
    }
  });

  it('follows a map by index, and makes up for a backend of it that fails', async () => {
    const { packs, backends } = spreadOver(6, { map: [6, 5, 4, 3, 2] });
    expect((await packs.write(packOf())).places).toEqual([6, 5, 4, 3, 2]);
    backends[3]?.fail(BROKEN);
    expect((await packs.write(packOf())).places).toEqual([6, 5, 1, 3, 2]);
  });

  it('makes copies of packs that are too small to be cut', async () => {
    const { packs, holder } = spreadOver(5);
    const pack = await packs.write(packOf(1000));
    expect(pack.stripe).toMatchObject({ k: 1, m: 2 });
    for (const index of [0, 1, 2]) expect(await holder(pack, index).head(shardKey(pack, index))).toBeDefined();
  });

  it('stops when it is told to, and leaves nothing', async () => {
    const { packs, backends } = spreadOver(5);
    const stop = new AbortController();
    backends[0]?.fail({ ...NEVER, call: 'put' });
    const writing = packs.write(packOf(), { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await expect(writing).rejects.toThrow('enough');
  });
});
