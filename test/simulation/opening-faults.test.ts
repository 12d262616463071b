import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../src/index.ts';
import { createAt, openAt } from '../../src/store/open.ts';
import { rebuildAt } from '../../src/store/rebuild.ts';
import { FaultyFileSystem, type FileSystemFault } from '../../src/testing/index.ts';
import { createOptions, KINDS, newMachine, openOptions, type StoreKind } from './kinds.ts';
import { emptyMachine, placeOn } from './simulated-machine.ts';

const [PLAIN, SPREAD] = ['plain', 'spread'].map((name) => KINDS.find((kind) => kind.name === name)) as [
  StoreKind,
  StoreKind,
];

type Fault = Pick<FileSystemFault, 'call' | 'path' | 'code'>;

/** What a new process fails with whose disk has a fault. */
async function failureOf(
  what: 'create' | 'open' | 'rebuild',
  { fault, machine }: { readonly fault: Fault; readonly machine: ReturnType<typeof emptyMachine> },
): Promise<unknown> {
  const disk = new FaultyFileSystem(machine.disk, '/');
  const { place } = placeOn(machine, { seed: 5, wrap: () => disk });
  disk.fail(fault);
  const work = {
    create: () => createAt(place, createOptions(PLAIN)),
    open: () => openAt(place, openOptions(PLAIN)),
    rebuild: () => rebuildAt(place, openOptions(PLAIN)),
  };
  return await work[what]().catch((error: unknown) => error);
}

describe('a system error beside the backend is told by a code', () => {
  it.each([
    ['rebuild', { call: 'stat', path: '.rebuild', code: 'EBUSY' }, 'BACKEND_IO'],
    ['rebuild', { call: 'rename', path: 'store.sqlite', code: 'ENOSPC' }, 'DISK_FULL'],
    ['open', { call: 'checkWritable', path: '', code: 'EMFILE' }, 'BACKEND_IO'],
    ['create', { call: 'mkdir', path: '.metadata', code: 'EACCES' }, 'PERMISSION_DENIED'],
  ] as const)('of %s: %o', async (what, fault, code) => {
    const machine = what === 'create' ? emptyMachine() : await newMachine(PLAIN);
    expect(await failureOf(what, { fault, machine })).toMatchObject({ code, cause: { code: fault.code } });
    machine.databases.close();
  });
});

describe('a backend that is not permitted to be added', () => {
  it('is not there, whichever call on its disk was not permitted', async () => {
    const machine = await newMachine(SPREAD);
    const disk = new FaultyFileSystem(machine.disk, '/');
    const { place } = placeOn(machine, { seed: 5, wrap: () => disk });
    const store = await openAt(place, openOptions(SPREAD));
    const codes = new Set<string>();
    for (let nth = 1, isThere = false; !isThere; nth += 1) {
      disk.fail({ call: 'any', path: `/new${nth}`, nth, code: 'EACCES' });
      const failure = await store.backends.add({ location: `/new${nth}` }).catch((error: unknown) => error);
      disk.heal();
      const names = (await store.backends.list()).map(({ name }) => name);
      isThere = names.includes(`new${nth}`);
      if (isStoreError(failure)) codes.add(failure.code);
      // Of a flush that failed it is not known what it did.
      if (isStoreError(failure, 'BACKEND_IO')) continue;
      expect(isThere, `call ${nth}`).toBe(!isStoreError(failure, 'PERMISSION_DENIED'));
    }
    expect(codes).toContain('PERMISSION_DENIED');
    expect(codes).toContain('CONFIG_PENDING');
    await store.close();
    machine.databases.close();
  });
});
