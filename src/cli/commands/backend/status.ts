import type { Command } from 'commander';
import type { Session } from '../../session.ts';
import { describePlacement } from './describe-placement.ts';

async function status(session: Session): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const found = await store.backends.status({ signal: session.signal });
  await session.result(found, () => describePlacement(found));
}

/** Defines `holdfast backend status`. */
export function addPlacementStatus(group: Command, session: Session): void {
  group
    .command('status')
    .description('Shows what lies where, how the backends are, and which losses what is stored would survive today.')
    .addHelpText(
      'after',
      '\nExit status 0 whatever it shows; `holdfast check` and `verify` end with that of what they find.',
    )
    .action(() => status(session));
}
