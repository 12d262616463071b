import type { Command } from 'commander';
import type { Session } from '../../session.ts';
import { addLeaving } from './leaving.ts';
import { addMembers } from './members.ts';
import { addRebalance } from './rebalance.ts';
import { addPlacementStatus } from './status.ts';

/** Defines `holdfast backend` and everything below it. */
export function addBackend(program: Command, session: Session): void {
  const group = program
    .command('backend')
    .summary('the folders that a store spreads over')
    .description('Manages the backends of a store: where its shards lie, and what may be lost of them.')
    .helpCommand(false);
  for (const add of [addMembers, addLeaving, addRebalance, addPlacementStatus]) add(group, session);
}
