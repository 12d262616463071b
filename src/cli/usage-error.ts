import { CommanderError } from 'commander';
import { EXIT_STATUS } from '../errors/codes.ts';

/** The error of a command line that cannot be meant: commander's own kind, so that both end the same way (exit 2). */
export function usageError(message: string): CommanderError {
  return new CommanderError(EXIT_STATUS.invalid, 'holdfast.usage', message);
}
