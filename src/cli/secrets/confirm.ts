import type { Session } from '../session.ts';
import { usageError } from '../usage-error.ts';
import { askYesOrNo } from './prompt.ts';

/**
 * Makes sure that somebody means what cannot be undone: --yes, or a question on the terminal.
 * @param what a sentence that says what will be gone
 * @throws a usage error unless it is meant
 */
export async function confirmForGood(session: Session, what: string, flags: { readonly yes?: boolean }): Promise<void> {
  if (flags.yes) return;
  const answer = await askYesOrNo(what, session);
  if (answer === undefined) throw usageError(`${what} Say --yes if that is meant`);
  if (!answer) throw usageError('nothing was changed');
}
