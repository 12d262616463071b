import { CommanderError } from 'commander';
import { type ErrorKind, EXIT_STATUS } from '../errors/codes.ts';
import { StoreError } from '../errors/store-error.ts';
import { fileError, systemCodeOf } from './file-error.ts';
import { Interrupted } from './interrupt.ts';

/** An error as the command line shows it; `--json` prints the first four fields. */
export interface Failure {
  readonly kind: ErrorKind | 'interrupted';
  /** A code of `ERROR_CODES`, `ARGUMENT_INVALID` for a wrong command line, `INTERRUPTED`, or `UNEXPECTED` for a bug. */
  readonly code: string;
  readonly message: string;
  readonly details: object;
  readonly exitStatus: number;
}

function argumentFailure(message: string, details: object): Failure {
  return { kind: 'invalid', code: 'ARGUMENT_INVALID', message, details, exitStatus: EXIT_STATUS.invalid };
}

/** Finds out what an error means to the user. Unknown errors are bugs of ours and say so. */
export function describeFailure(error: unknown): Failure {
  // Closing the store after a failure may fail too; the first failure is the one to tell.
  if (error instanceof SuppressedError) return describeFailure(error.suppressed);
  if (error instanceof StoreError) {
    const { kind, code, message, details } = error;
    return { kind, code, message, details, exitStatus: EXIT_STATUS[kind] };
  }
  if (error instanceof CommanderError) {
    // Commander puts its suggestion of the nearest name on a line of its own.
    return argumentFailure(error.message.replace(/^error: /, '').replaceAll('\n', ' '), {});
  }
  if (error instanceof Interrupted) {
    const { message, exitStatus } = error;
    return { kind: 'interrupted', code: 'INTERRUPTED', message, details: {}, exitStatus };
  }
  if (error instanceof Error && (error as { code?: unknown }).code === 'ARGUMENT_INVALID') {
    return argumentFailure(error.message, { parameter: (error as { parameter?: unknown }).parameter });
  }
  if (systemCodeOf(error) !== undefined) {
    const path = (error as { path?: unknown }).path;
    return describeFailure(fileError(error, typeof path === 'string' ? path : 'system', 'read'));
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'internal', code: 'UNEXPECTED', message, details: {}, exitStatus: EXIT_STATUS.internal };
}
