import type { Command } from 'commander';
import type { RemoveReport, Store } from '../../../index.ts';
import { confirmForGood } from '../../secrets/confirm.ts';
import type { Session } from '../../session.ts';
import { countOf } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { tellRebalance } from './rebalance.ts';

interface LossFlags {
  readonly acceptLoss?: boolean;
  readonly yes?: boolean;
}

interface RemoveFlags extends LossFlags {
  readonly lost?: boolean;
}

function describeLoss({ shardsLost, packsLost }: RemoveReport): string {
  if (shardsLost === 0) return 'no shard was on it';
  const lost = packsLost > 0 ? `; ${countOf(packsLost, 'pack', 'packs')} CANNOT BE READ any more` : '';
  return `${countOf(shardsLost, 'shard is', 'shards are')} missing: \`holdfast repair\` makes them anew${lost}`;
}

/** What giving a backend up means; also tells early that there is none of that name. */
async function confirmLoss(session: Session, store: Store, { name, flags }: { name: string; flags: LossFlags }) {
  const { backends } = await store.backends.status({ signal: session.signal });
  const shards = backends.find((one) => one.name === name)?.shards ?? 0;
  const fatal = flags.acceptLoss ? ' Packs that cannot be read without it are lost for good.' : '';
  const what = `This gives up what lies on backend ${session.shown(name)}: ${countOf(shards, 'shard', 'shards')}.`;
  await confirmForGood(session, `${what}${fatal}`, flags);
}

async function replace(session: Session, [name, folder]: readonly [string, string], flags: LossFlags) {
  const { signal } = session;
  await using store = await session.openStore();
  if (flags.acceptLoss) await confirmLoss(session, store, { name, flags });
  const report = await store.backends.replace(name, folder, { signal, acceptLoss: flags.acceptLoss === true });
  await session.confirm(report, () => `${session.shown(name)} is a new backend now; ${describeLoss(report)}`);
}

async function drain(session: Session, name: string, { dryRun = false }: { readonly dryRun?: boolean }) {
  await tellRebalance(session, {
    work: (store, options) => store.backends.drain(name, { ...options, dryRun }),
    done: `${session.shown(name)} is empty: \`holdfast backend remove\` takes it out`,
  });
}

async function remove(session: Session, name: string, flags: RemoveFlags): Promise<void> {
  const { lost = false, acceptLoss = false } = flags;
  if (acceptLoss && !lost) throw usageError('--accept-loss goes with --lost');
  await using store = await session.openStore();
  if (lost) await confirmLoss(session, store, { name, flags });
  const report = await store.backends.remove(name, { signal: session.signal, lost, acceptLoss });
  await session.confirm(report, () => `removed ${session.shown(name)}; ${describeLoss(report)}`);
}

const REPLACE_EXAMPLE = `
The folder must be empty. The name, the failure domain and the weight stay. Refused (exit 4) when packs cannot be read
without what is given up, unless --accept-loss.

Example:
  $ holdfast backend replace disk2 /mnt/new-disk && holdfast repair`;

/** Defines `holdfast backend replace`, `drain` and `remove`. */
export function addLeaving(group: Command, session: Session): void {
  group
    .command('replace')
    .description('Puts an empty folder in the place of a backend that is lost. `holdfast repair` then fills it.')
    .argument('<name>', 'the backend that is lost')
    .argument('<folder>', 'the one in its place')
    .option('--accept-loss', 'do so although packs cannot be read without it')
    .option('--yes', 'do not ask')
    .addHelpText('after', REPLACE_EXAMPLE)
    .action((name: string, folder: string, flags: LossFlags) => replace(session, [name, folder], flags));
  group
    .command('drain')
    .description('Moves everything off a backend, which takes nothing more. Stopped, it goes on where it was.')
    .argument('<name>', 'the backend')
    .option('--dry-run', 'only say what would be moved')
    .addHelpText('after', '\nExit status 7 when shards are left on it, and the report says why: run it again.')
    .action((name: string, flags: { readonly dryRun?: boolean }) => drain(session, name, flags));
  group
    .command('remove')
    .description('Takes a backend out of the store: one that is drained, or lost. What lies on it is not deleted.')
    .argument('<name>', 'the backend')
    .option('--lost', 'it is lost: what lies on it counts as missing from now on')
    .option('--accept-loss', 'with --lost: do so although packs cannot be read without it')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nRefused (exit 4) while it holds shards, unless --lost, and for the folder that -s names.')
    .action((name: string, flags: RemoveFlags) => remove(session, name, flags));
}
