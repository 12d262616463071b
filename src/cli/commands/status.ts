import type { Command } from 'commander';
import type { Session } from '../session.ts';
import { describePlacement } from './backend/describe-placement.ts';
import { describeStats } from './stat.ts';

async function status(session: Session): Promise<void> {
  const { signal } = session;
  await using store = await session.openStore({ readOnly: true });
  const [stats, placement] = [await store.stats({ signal }), await store.backends.status({ signal })];
  await session.result({ stats, placement }, () => `${describeStats(stats)}\n\n${describePlacement(placement)}`);
}

/** Defines `holdfast status`. */
export function addStatus(program: Command, session: Session): void {
  program
    .command('status')
    .summary('show how the store is, and which losses it would survive')
    .description(
      'Shows what is stored and where, how the backends are, which losses it would survive today, and what to do next.',
    )
    .addHelpText(
      'after',
      '\nExit status 0 whatever it shows. With --json one object: {"stats": ..., "placement": ...}, what `stats` and\n' +
        '`backend status` print.',
    )
    .action(() => status(session));
}
