import { describe, expect, it } from 'vitest';
import { createAt, openAt } from '../../src/store/open.ts';
import { rebuildAt } from '../../src/store/rebuild.ts';
import { FaultyFileSystem, type FileSystemFault } from '../../src/testing/index.ts';
import { createOptions, KINDS, newMachine, openOptions, type StoreKind } from './kinds.ts';
import { emptyMachine, placeOn } from './simulated-machine.ts';

const PLAIN = KINDS.find(({ name }) => name === 'plain') as StoreKind;

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
