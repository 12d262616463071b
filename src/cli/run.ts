import { CommanderError } from 'commander';
import { keepHeapSmall } from './heap.ts';
import { abortOnSignals, Interrupted } from './interrupt.ts';
import { buildProgram } from './program.ts';
import { Session } from './session.ts';
import { OutputClosed, Terminal } from './terminal.ts';

/** Commander ends help and version by throwing these; their text is already printed. */
const ENDS_WELL = new Set(['commander.helpDisplayed', 'commander.version', 'commander.help']);

/** Node prints a warning for each of its experimental features; what Holdfast relies on is pinned by its tests. */
function silenceExperimentalWarnings(): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}

/**
 * Runs one command line (without the program's own name) and resolves to the exit status: 0, or the status of the first
 * error by its kind, but 130 or 143 when it was interrupted. Never rejects.
 */
export async function runCli(args: readonly string[]): Promise<number> {
  silenceExperimentalWarnings();
  keepHeapSmall();
  const terminal = new Terminal(process.stdout, process.stderr);
  const controller = new AbortController();
  const session = new Session(terminal, controller.signal);
  const stopListening = abortOnSignals(controller, () => terminal.note('holdfast: stopping; Ctrl-C again kills'));
  try {
    await buildProgram(session, args).parseAsync([...args], { from: 'user' });
    await terminal.flush();
  } catch (error) {
    if (error instanceof OutputClosed) return session.exitStatus;
    if (error instanceof CommanderError && ENDS_WELL.has(error.code)) return error.exitCode === 0 ? 0 : 2;
    // A wrong command line fails before the options are taken over.
    if (error instanceof CommanderError && args.includes('--json')) session.configure({ progress: false, json: true });
    const { aborted, reason } = controller.signal;
    session.fail(aborted ? reason : error);
    await terminal.flush().catch(() => undefined);
    // However many files failed before: that it was stopped is what a script must learn.
    if (reason instanceof Interrupted) return reason.exitStatus;
  } finally {
    terminal.status('');
    stopListening();
  }
  return session.exitStatus;
}
