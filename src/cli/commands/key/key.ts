import type { Command } from 'commander';
import type { Session } from '../../session.ts';
import { addEpochs } from './epochs.ts';
import { addIdentities } from './identities.ts';
import { addShares } from './shares.ts';
import { addSignatures } from './signatures.ts';
import { addSlots } from './slots.ts';
import { addWriters } from './writers.ts';

/** Defines `holdfast key` and everything below it. */
export function addKey(program: Command, session: Session): void {
  const group = program
    .command('key')
    .summary('who may open the store, and with what')
    .description('Manages what opens a sealed store, its key epochs and its put-only writers; makes and reads keys.')
    .helpCommand(false);
  for (const add of [addSlots, addEpochs, addWriters, addIdentities, addShares, addSignatures]) add(group, session);
}
