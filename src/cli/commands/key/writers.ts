import type { Command } from 'commander';
import { storeError } from '../../../errors/store-error.ts';
import type { Store, WriterInfo } from '../../../index.ts';
import { reserveSecretFile } from '../../files/secret-file.ts';
import { confirmForGood } from '../../secrets/confirm.ts';
import type { Session } from '../../session.ts';
import { escapeControls, formatTime } from '../../text/format-text.ts';
import { formatTable } from '../../text/table.ts';
import { usageError } from '../../usage-error.ts';
import { exportWriterTo } from './export-writer.ts';

interface ExportFlags {
  readonly label: string;
  readonly output: string;
  readonly dryRun?: boolean;
}

interface RemoveFlags {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

const LEFT =
  'the writer is let in and nobody has its credential: see `holdfast key writers`, and remove it with `remove-writer`';

function describeWriters(writers: readonly WriterInfo[]): string {
  const rows = writers.map(({ fingerprint, namespace, created, label }) => [
    fingerprint,
    formatTime(created),
    escapeControls(namespace),
    escapeControls(label),
  ]);
  return formatTable(['FINGERPRINT', 'CREATED (UTC)', 'NAMESPACE', 'LABEL'], rows);
}

async function writers(session: Session): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const found = await store.keys.writers({ signal: session.signal });
  if (!session.options.json) return session.terminal.print(describeWriters(found));
  for (const writer of found) await session.result(writer, () => '');
}

async function exportWriter(session: Session, flags: ExportFlags): Promise<void> {
  const { signal, namespace } = session;
  const { label, output, dryRun } = flags;
  await using store = await session.openStore({ readOnly: dryRun === true });
  if (dryRun) {
    if (namespace !== undefined) await store.namespaces.stat(namespace, { signal });
    return session.confirm({ label, path: output, dryRun: true }, () => `would make a credential in ${output}`);
  }
  const writer = { signal, label, ...(namespace !== undefined && { namespace }) };
  const onLeft = (): void => session.logger().error(LEFT);
  await exportWriterTo(await reserveSecretFile(output), { keys: store.keys, onLeft }, writer);
  await session.confirm(
    { label, namespace: namespace ?? 'default', path: output },
    () => `made the credential of ${session.shown(label)} in ${session.shown(output)}; it is a secret`,
  );
}

async function findWriter(store: Store, typed: string, session: Session): Promise<WriterInfo> {
  const all = await store.keys.writers({ signal: session.signal });
  const found = all.filter(({ fingerprint }) => typed !== '' && fingerprint.startsWith(typed.toLowerCase()));
  if (found.length > 1) throw usageError(`${typed} begins several fingerprints; type more of it`);
  if (found[0] !== undefined) return found[0];
  throw storeError('SLOT_NOT_FOUND', `there is no writer ${JSON.stringify(typed)}`, { details: { actual: typed } });
}

async function removeWriter(session: Session, typed: string, flags: RemoveFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  const writer = await findWriter(store, typed, session);
  const name = `${writer.fingerprint} (${escapeControls(writer.label)})`;
  if (flags.dryRun) return session.confirm({ ...writer, dryRun: true }, () => `would remove ${name}`);
  await confirmForGood(session, `What ${name} puts from now on, and what is not adopted yet, is lost.`, flags);
  await store.keys.removeWriter(writer.fingerprint, { signal: session.signal });
  await session.confirm({ removed: writer }, () => `removed ${name}`);
}

/** Defines `holdfast key export-writer`, `writers` and `remove-writer`. */
export function addWriters(group: Command, session: Session): void {
  group
    .command('export-writer')
    .description('Makes the credential of a writer that can put into one namespace (-N) and read nothing.')
    .requiredOption('--label <text>', 'what to call the writer, 1 to 64 characters')
    .requiredOption('-o, --output <file>', 'file of the credential; must not exist, made with mode 0600')
    .option('--dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      '\nExample:\n  $ holdfast key export-writer --label web-1 -N backups -o web-1.credential\n' +
        '  $ holdfast --credential web-1.credential put dumps      # there',
    )
    .action((flags: ExportFlags) => exportWriter(session, flags));
  group
    .command('writers')
    .description('Lists the put-only writers that the store lets in.')
    .action(() => writers(session));
  group
    .command('remove-writer')
    .description('Ends a writer: what it puts from now on is not adopted.')
    .argument('<fingerprint>', 'of the writer, or the beginning of it')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say what would be done')
    .action((typed: string, flags: RemoveFlags) => removeWriter(session, typed, flags));
}
