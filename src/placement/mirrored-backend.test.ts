import { describe, expect, it } from 'vitest';
import { spreadOver } from '../../test/support/spread.ts';
import type { Backend } from '../backend/contract.ts';
import { systemClock } from '../runtime/clock.ts';
import { describeBackend } from '../testing/describe-backend.ts';
import type { FaultyBackend } from '../testing/faulty-backend.ts';
import { BackendLink } from './backend-link.ts';
import { MirroredBackend } from './mirrored-backend.ts';

const BROKEN = { how: 'before', times: Number.POSITIVE_INFINITY } as const;
const ALL = ['put', 'get', 'head', 'list', 'delete'] as const;

function mirrored(count: number, copiesMin = 2): { backends: readonly FaultyBackend[]; mirror: MirroredBackend } {
  const { set, backends } = spreadOver(count);
  return { backends, mirror: new MirroredBackend({ set, home: 2, readOnly: false, copiesMin: () => copiesMin }) };
}

describeBackend({ describe, it }, 'MirroredBackend', {
  open: async () => {
    const { set } = spreadOver(3);
    const parts = { set, home: 1, copiesMin: () => 2 };
    const backend = new MirroredBackend({ ...parts, readOnly: false });
    return {
      backend,
      openReadOnly: async () => new MirroredBackend({ ...parts, readOnly: true }),
      dispose: () => backend.close(),
    };
  },
});

describe('what every backend holds', () => {
  it('is put on all, and read from any', async () => {
    const { backends, mirror } = mirrored(3);
    await mirror.put('a', new Uint8Array([1]));
    for (const backend of backends) expect(await backend.get('a')).toEqual(new Uint8Array([1]));
    for (const at of [0, 1]) for (const call of ALL) backends[at]?.fail({ ...BROKEN, call });
    expect(await mirror.get('a')).toEqual(new Uint8Array([1]));
    expect(await mirror.list()).toEqual([{ key: 'a', bytes: 1 }]);
  });

  it('counts as put when enough of them have it', async () => {
    const { backends, mirror } = mirrored(3);
    backends[0]?.fail({ ...BROKEN, call: 'put' });
    await mirror.put('a', new Uint8Array(1));
    backends[1]?.fail({ ...BROKEN, call: 'put' });
    await expect(mirror.put('b', new Uint8Array(1))).rejects.toMatchObject({ code: 'BACKEND_IO' });
  });

  it('is not called absent while those that may have it cannot be asked', async () => {
    const { backends, mirror } = mirrored(3);
    for (const call of ALL) backends[0]?.fail({ ...BROKEN, call });
    expect(await mirror.get('a')).toBeUndefined();
    for (const call of ALL) backends[1]?.fail({ ...BROKEN, call });
    await expect(mirror.get('a')).rejects.toMatchObject({ code: 'BACKEND_IO' });
  });

  it('is gone only when it is gone everywhere', async () => {
    const { backends, mirror } = mirrored(3);
    await mirror.put('a', new Uint8Array(1));
    backends[2]?.fail({ ...BROKEN, call: 'delete', times: 1 });
    await expect(mirror.delete('a')).rejects.toMatchObject({ code: 'BACKEND_IO' });
    expect(await backends[0]?.head('a')).toBeUndefined();
    await mirror.delete('a');
    expect(await mirror.list()).toEqual([]);
  });

  it('is not called gone while a backend has it from which nothing may be deleted', async () => {
    const { set, backends } = spreadOver(3);
    const mirror = new MirroredBackend({ set, home: 1, readOnly: false, copiesMin: () => 2 });
    await mirror.put('a', new Uint8Array(1));
    const frozen = set.links.map(({ facts, backend }) => {
      const mode = facts.number === 3 ? 'read-only' : 'active';
      return new BackendLink({ facts: { ...facts, mode }, backend: backend as Backend, clock: systemClock });
    });
    set.replace(frozen, { map: [], nextNumber: 4 });
    await expect(mirror.delete('a')).rejects.toMatchObject({ code: 'READ_ONLY', details: { backend: 'b3' } });
    expect(await backends[0]?.head('a')).toBeUndefined();
    await backends[2]?.delete('a');
    await mirror.delete('a');
  });

  it('waits for none of them for ever', async () => {
    const { set, backends } = spreadOver(3);
    const mirror = new MirroredBackend({ set, home: 1, readOnly: false, copiesMin: () => 2, timeoutMs: 20 });
    await mirror.put('a', new Uint8Array([1]));
    const until = new Promise<never>(() => undefined);
    for (const call of ALL) backends[0]?.fail({ call, how: 'wait', until, times: Number.POSITIVE_INFINITY });
    expect(await mirror.get('a')).toEqual(new Uint8Array([1]));
    await mirror.put('b', new Uint8Array(1));
    expect(await mirror.list()).toHaveLength(2);
    await expect(mirror.delete('a')).rejects.toMatchObject({ code: 'BACKEND_IO' });
  });

  it('pages through what any of them has', async () => {
    const { backends, mirror } = mirrored(3);
    for (const [at, key] of ['c', 'a', 'b'].entries()) await backends[at]?.put(key, new Uint8Array(at));
    expect((await mirror.list({ limit: 2 })).map(({ key }) => key)).toEqual(['a', 'b']);
    expect((await mirror.list({ after: 'b' })).map(({ key }) => key)).toEqual(['c']);
  });
});
