import type { Command } from 'commander';
import { storeError } from '../../errors/store-error.ts';
import type { AdoptReport, RefusedMessage } from '../../index.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import { confirmForGood } from '../secrets/confirm.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';

/** Exit status when something was refused: nothing failed, but not all is visible. */
const EXIT_REFUSED = 1;

interface DiscardFlags {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

function refusedLine({ message, code, reason, writer }: RefusedMessage): string {
  const from = writer === undefined ? '' : ` (from ${escapeControls(writer)})`;
  return `  ${message}  ${code}: ${escapeControls(reason)}${from}`;
}

function describeAdoption({ adopted, entries, bytes, refused, incomplete }: AdoptReport): string {
  const messages = countOf(adopted, 'message', 'messages');
  const lines = [`adopted ${messages}: ${countOf(entries, 'entry', 'entries')}, ${formatBytes(bytes)}`];
  if (refused.length > 0) lines.push(`refused ${countOf(refused.length, 'message', 'messages')}; they stay:`);
  lines.push(...refused.map(refusedLine));
  if (incomplete.length > 0) {
    lines.push('being written right now, or left unfinished:', ...incomplete.map((message) => `  ${message}`));
  }
  return lines.join('\n');
}

async function adopt(session: Session): Promise<void> {
  using meter = new ProgressMeter(session, 'adopt');
  await using store = await session.openStore();
  const report = await store.inbox.adopt({ signal: session.signal, onProgress: followProgress(meter) });
  meter.stop();
  await session.result(report, () => describeAdoption(report));
  if (report.refused.length > 0) session.endWith(EXIT_REFUSED);
}

async function discard(session: Session, message: string, flags: DiscardFlags): Promise<void> {
  if (!/^[0-9a-f]{32}$/.test(message))
    throw usageError('a message is 32 hex digits; `holdfast inbox adopt` lists them');
  if (flags.dryRun) return session.confirm({ message, dryRun: true }, () => `would discard ${message}`);
  await using store = await session.openStore();
  await confirmForGood(session, `This throws away what was put with message ${message}.`, flags);
  if (!(await store.inbox.discard(message, { signal: session.signal }))) {
    throw storeError('ENTRY_NOT_FOUND', `there is no message ${message} in the inbox`, { details: { key: message } });
  }
  await session.confirm({ message, discarded: true }, () => `discarded ${message}`);
}

/** Defines `holdfast inbox adopt` and `discard`. */
export function addInbox(program: Command, session: Session): void {
  const group = program
    .command('inbox')
    .summary('what put-only writers have left')
    .description('Takes over what put-only writers have left. Opening the store for any change does it too.')
    .helpCommand(false);
  group
    .command('adopt')
    .description('Checks what is in the inbox, makes its entries visible, and lists what was refused and why.')
    .addHelpText('after', '\nExit status 1 when something was refused.')
    .action(() => adopt(session));
  group
    .command('discard')
    .description('Throws a refused or unfinished message away.')
    .argument('<message>', 'its id, as `holdfast inbox adopt` lists it')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only say what would be done')
    .action((message: string, flags: DiscardFlags) => discard(session, message, flags));
}
