import { CommanderError } from 'commander';
import { type ErrorKind, EXIT_STATUS } from '../errors/codes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { fileError, systemCodeOf } from './file-error.ts';
import { hintFor } from './hints.ts';
import { Interrupted } from './interrupt.ts';
import { isUsageError } from './usage-error.ts';

/** An error as the command line shows it; `--json` prints the first four fields. */
export interface Failure {
  readonly kind: ErrorKind | 'interrupted';
  /** A code of `ERROR_CODES`, `ARGUMENT_INVALID` for a wrong command line, `INTERRUPTED`, or `UNEXPECTED` for a bug. */
  readonly code: string;
  readonly message: string;
  readonly details: object;
  readonly exitStatus: number;
  /** What to do next, where the message does not say it already. */
  readonly hint: string | undefined;
}

function argumentFailure(message: string, details: object): Failure {
  const code = 'ARGUMENT_INVALID';
  return { kind: 'invalid', code, message, details, exitStatus: EXIT_STATUS.invalid, hint: hintFor(code) };
}

/** Finds out what an error means to the user. Unknown errors are bugs of ours and say so. */
export function describeFailure(error: unknown): Failure {
  // Closing the store after a failure may fail too; the first failure is the one to tell.
  if (error instanceof SuppressedError) return describeFailure(error.suppressed);
  if (isStoreError(error)) {
    const { kind, code, message, details } = error;
    return { kind, code, message, details, exitStatus: EXIT_STATUS[kind], hint: hintFor(code) };
  }
  if (error instanceof CommanderError) {
    if (isUsageError(error)) return { ...argumentFailure(error.message, {}), hint: undefined };
    // Commander puts its suggestion of the nearest name on a line of its own.
    return argumentFailure(error.message.replace(/^error: /, '').replaceAll('\n', ' '), {});
  }
  if (error instanceof Interrupted) {
    const { message, exitStatus } = error;
    return { kind: 'interrupted', code: 'INTERRUPTED', message, details: {}, exitStatus, hint: undefined };
  }
  if (error instanceof Error && (error as { code?: unknown }).code === 'ARGUMENT_INVALID') {
    return argumentFailure(error.message, { parameter: (error as { parameter?: unknown }).parameter });
  }
  if (systemCodeOf(error) !== undefined) {
    const path = (error as { path?: unknown }).path;
    return describeFailure(fileError(error, typeof path === 'string' ? path : 'system', 'read'));
  }
  const message = error instanceof Error ? error.message : String(error);
  const code = 'UNEXPECTED';
  return { kind: 'internal', code, message, details: {}, exitStatus: EXIT_STATUS.internal, hint: hintFor(code) };
}
