import type { Command } from 'commander';
import { storeError } from '../../../errors/store-error.ts';
import type { FoundAddress } from '../../../index.ts';
import type { Session } from '../../session.ts';
import { childLine, childName } from './describe.ts';

interface LsFlags {
  readonly recursive?: boolean;
  readonly long?: boolean;
}

function isFolder({ reference, child }: FoundAddress): boolean {
  return child?.type !== 'link' && (reference.type === 'tree' || reference.type === 'snapshot');
}

async function ls(session: Session, address: string, flags: LsFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { signal } = session;
  const text = flags.long ? childLine : childName;
  const found = await entries.objects.find(address, { signal });
  const { child } = found;
  if (child && !isFolder(found)) {
    await session.result({ path: child.name, child }, () => text(session, child.name, child));
    return;
  }
  const options = { signal, recursive: flags.recursive === true };
  for await (const name of entries.snapshots.names(address, options))
    await session.result(name, () => text(session, name.path, name.child));
}

async function cat(session: Session, addresses: readonly string[]): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const { objects } = session.entriesOf(store);
  const { signal } = session;
  for (const address of addresses) {
    const { reference, child } = await objects.find(address, { signal });
    const { id: object, type: actual } = reference;
    if (child?.type === 'link') {
      const message = `${address} is a symbolic link to ${child.target}; nothing is followed inside snapshots`;
      throw storeError('OBJECT_WRONG_TYPE', message, { details: { object, expected: 'raw', actual: 'link' } });
    }
    if (actual !== 'raw' && actual !== 'blob') {
      const message = `${address} is a ${actual}, no file`;
      throw storeError('OBJECT_WRONG_TYPE', message, { details: { object, expected: 'raw', actual } });
    }
    await session.terminal.printContent(objects.readBlob(object, { lent: true, signal }));
  }
}

async function bundles(session: Session, address: string): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  for await (const found of session.entriesOf(store).snapshots.bundles(address, { signal: session.signal }))
    await session.result(found, () => session.shown(JSON.stringify(found.bundle.content)));
}

/** Defines `holdfast snapshot ls`, `cat` and `bundles`. */
export function addContents(group: Command, session: Session): void {
  group
    .command('ls')
    .description('Lists what is in a snapshot, or in a folder of it, in the order of names.')
    .argument('<address>', 'the snapshot, or SNAPSHOT:PATH')
    .option('-r, --recursive', 'everything below, too')
    .option('-l, --long', 'permissions, size, time (UTC), name, and where links point')
    .addHelpText(
      'after',
      '\nWith --json one object a line: path, child (name, type, id, size, mode, mtime, ...).' +
        '\n\nExample:\n  $ holdfast snapshot ls photos@{yesterday}:2024 --long',
    )
    .action((address: string, flags: LsFlags) => ls(session, address, flags));
  group
    .command('cat')
    .description('Prints files of snapshots to standard output, verified, one after the other.')
    .argument('<addresses...>', 'files: SNAPSHOT:PATH')
    .addHelpText('after', '\nExample:\n  $ holdfast snapshot cat laptop~1:notes.txt | diff - notes.txt')
    .action((addresses: string[]) => cat(session, addresses));
  group
    .command('bundles')
    .description('Prints the bundles of a snapshot in their order, one a line; with --json also id and metadata.')
    .argument('<address>', 'the snapshot')
    .action((address: string) => bundles(session, address));
}
