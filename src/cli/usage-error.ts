import { CommanderError } from 'commander';
import { EXIT_STATUS } from '../errors/codes.ts';

const USAGE = 'holdfast.usage';

/**
 * The error of a command line that cannot be meant: commander's own kind, so that both end the same way (exit 2). The
 * message says what to do instead.
 */
export function usageError(message: string): CommanderError {
  return new CommanderError(EXIT_STATUS.invalid, USAGE, message);
}

export function isUsageError(error: CommanderError): boolean {
  return error.code === USAGE;
}
