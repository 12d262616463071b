import { type Command, Option } from 'commander';
import { isStoreError } from '../../../errors/store-error.ts';
import type { ObjectInfo, ObjectType } from '../../../index.ts';
import type { Session } from '../../session.ts';
import { objectFields, objectLine } from '../../text/describe-objects.ts';
import { statMeant } from './find.ts';

interface ListFlags {
  readonly type?: readonly ObjectType[];
  readonly long?: boolean;
}

async function list(session: Session, { type, long }: ListFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const options = { signal: session.signal, ...(type && { types: type }) };
  for await (const info of session.entriesOf(store).objects.list(options))
    await session.result(info, () => (long ? objectLine(info) : info.id));
}

async function stat(session: Session, addresses: readonly string[]): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  let first = true;
  for (const address of addresses) {
    let info: ObjectInfo;
    try {
      info = await statMeant(session, entries, address);
    } catch (error) {
      // One of several that is not there must not hide the others.
      if (addresses.length === 1 || !isStoreError(error) || error.kind !== 'not-found') throw error;
      session.report(error);
      continue;
    }
    await session.result(info, () => (first ? '' : '\n') + objectFields(info));
    first = false;
  }
}

/** Defines `holdfast object ls` and `stat`. */
export function addObjectList(group: Command, session: Session): void {
  group
    .command('ls')
    .summary('list objects')
    .description("Lists the ids of objects, in an order of the store's own that does not change.")
    .addOption(new Option('-t, --type <type...>', 'only these types').choices(['blob', 'bundle', 'tree', 'snapshot']))
    .option('-l, --long', 'type, size, time it was stored (UTC), id')
    .addHelpText('after', '\nExample:\n  $ holdfast object ls --type snapshot --long')
    .action((flags: ListFlags) => list(session, flags));
  group
    .command('stat')
    .summary('show what is known of objects')
    .description('Shows type, size and time of objects, without reading them.')
    .argument('<ids...>', 'ids, beginnings of them, or addresses')
    .addHelpText('after', '\nExample:\n  $ holdfast object stat 8805acaf latest')
    .action((addresses: string[]) => stat(session, addresses));
}
