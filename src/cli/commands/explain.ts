import type { Command } from 'commander';
import type { Session } from '../session.ts';
import { describeExplanation } from '../text/describe-objects.ts';
import { findMeant } from './object/find.ts';

async function explain(session: Session, address: string): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { reference } = await findMeant(session, entries, address);
  const found = await entries.objects.explain(reference.id, { signal: session.signal });
  await session.result(found, () => describeExplanation(found));
}

const EXAMPLES = `
An entry with the same content keeps the bytes, but no object.

Examples:
  $ holdfast explain 8805acaf
  $ holdfast explain photos:docs/report.pdf --json | jq -r '.lifelines[].root.name'`;

/** Defines `holdfast explain`. */
export function addExplain(program: Command, session: Session): void {
  program
    .command('explain')
    .summary('tell why an object is kept')
    .description('Tells which refs, and moves in their histories, lead to an object, each with the way to it.')
    .argument('<id>', 'id, the beginning of one, or an address')
    .addHelpText('after', EXAMPLES)
    .action((address: string) => explain(session, address));
}
