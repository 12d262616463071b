import type { Command } from 'commander';
import { EXIT_STATUS } from '../../../errors/codes.ts';
import type { EpochInfo, RekeyReport } from '../../../index.ts';
import { parseCount } from '../../options.ts';
import { followProgress, ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { describePending } from '../../text/describe-pending.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { countOf, formatCount, formatTime } from '../../text/format-text.ts';
import { formatTable } from '../../text/table.ts';

interface DryRun {
  readonly dryRun?: boolean;
}

interface RekeyFlags extends DryRun {
  readonly epoch?: number;
}

function describeEpochs(epochs: readonly EpochInfo[]): string {
  const rows = epochs.map(({ epoch, created, packs }) => [`${epoch}`, formatTime(created), formatCount(packs)]);
  return formatTable(['EPOCH', 'CREATED (UTC)', 'PACKS'], rows);
}

function describeRekey({ packs, bytes, forgotten, pending }: RekeyReport): string {
  const lines = [`sealed ${countOf(packs, 'pack', 'packs')} anew, ${formatBytes(bytes)}`];
  if (forgotten.length > 0) {
    lines.push(`forgot the keys of ${forgotten.length === 1 ? 'epoch' : 'epochs'} ${forgotten.join(', ')}`);
  }
  if (pending.length > 0) lines.push(describePending(pending));
  return lines.join('\n');
}

async function epochs(session: Session): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const found = await store.keys.epochs({ signal: session.signal });
  if (!session.options.json) return session.terminal.print(describeEpochs(found));
  for (const epoch of found) await session.result(epoch, () => '');
}

async function rotate(session: Session, flags: DryRun): Promise<void> {
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  if (flags.dryRun) {
    const last = (await store.keys.epochs({ signal: session.signal })).at(-1)?.epoch ?? 0;
    return session.confirm({ epoch: last + 1, dryRun: true }, () => `would begin epoch ${last + 1}`);
  }
  const { epoch, created } = await store.keys.rotate({ signal: session.signal });
  await session.confirm({ epoch, created }, () => `epoch ${epoch} has begun; nothing was rewritten`);
}

async function rekey(session: Session, flags: RekeyFlags): Promise<void> {
  const { signal } = session;
  const { epoch } = flags;
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  if (flags.dryRun) {
    const all = await store.keys.epochs({ signal });
    const upTo = epoch ?? (all.at(-1)?.epoch ?? 1) - 1;
    const packs = all.filter((one) => one.epoch <= upTo).reduce((sum, one) => sum + one.packs, 0);
    const text = (): string => `would seal ${countOf(packs, 'pack', 'packs')} anew`;
    return session.confirm({ packs, dryRun: true }, text);
  }
  using meter = new ProgressMeter(session, 'rekey');
  const options = { signal, onProgress: followProgress(meter), ...(epoch !== undefined && { epoch }) };
  const report = await store.keys.rekey(options);
  meter.stop();
  await session.result(report, () => describeRekey(report));
  if (!report.done) session.endWith(EXIT_STATUS.unavailable);
}

/** Defines `holdfast key epochs`, `rotate` and `rekey`. */
export function addEpochs(group: Command, session: Session): void {
  group
    .command('epochs')
    .description('Lists the key epochs and how many packs are sealed under each. New data goes to the last one.')
    .action(() => epochs(session));
  group
    .command('rotate')
    .description('Begins a new epoch: new data gets new keys. What is stored stays as it is.')
    .option('--dry-run', 'only say what would be done')
    .action((flags: DryRun) => rotate(session, flags));
  group
    .command('rekey')
    .description('Seals what belongs to older epochs anew, then forgets their keys. Stopped, it goes on where it was.')
    .option('--epoch <number>', 'only this epoch and older ones; default: all but the last', parseCount)
    .option('--dry-run', 'only say what would be done')
    .addHelpText('after', '\nExit status 7 when something is still to do, and the report says what: run it again.')
    .action((flags: RekeyFlags) => rekey(session, flags));
}
