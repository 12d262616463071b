import type { ErrorCode } from '../../../errors/codes.ts';
import { storeError } from '../../../errors/store-error.ts';
import type { SnapshotFailure } from '../../../index.ts';
import { hintFor } from '../../hints.ts';
import type { Session } from '../../session.ts';
import { formatCount } from '../../text/format-text.ts';

/** Prints one thing that did not go in or out, and goes on. */
export function reportFailure(session: Session, { path, code, message }: SnapshotFailure): void {
  // Reports are data; the session knows errors.
  session.report(storeError(code as ErrorCode, message, { details: { path } }));
}

/** Prints what did not go in or out, one by one; the first of them decides how the run ends. */
export function reportFailures(
  session: Session,
  { failures, failed }: { readonly failures: readonly SnapshotFailure[]; readonly failed: number },
): void {
  for (const failure of failures) reportFailure(session, failure);
  if (session.options.json) return;
  const rest = failed - failures.length;
  if (rest > 0) session.terminal.note(`holdfast: and ${formatCount(rest)} more that failed`);
  // One for all of them: among many lines a hint after each would be noise.
  const hint = failures[0] && hintFor(failures[0].code);
  if (hint !== undefined) session.terminal.note(`hint: ${hint}`);
}
