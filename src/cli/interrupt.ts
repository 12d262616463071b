/** Reason of an abort by a signal of the system; `exitStatus` is 128 + the signal's number, as shells report it. */
export class Interrupted extends Error {
  readonly exitStatus: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(signal === 'SIGINT' ? 'interrupted' : 'terminated');
    this.name = 'Interrupted';
    this.exitStatus = signal === 'SIGINT' ? 130 : 143;
  }
}

/**
 * Ends an interrupted run by the very signal that interrupted it, once everything is closed: a shell stops the script
 * around a command only when the command died of Ctrl-C. It is also the only way out while a thread waits in opening
 * a named pipe that nobody writes to: not even `process.exit` gets past that. Does nothing for any other status.
 */
export function endBySignal(exitStatus: number): void {
  // Windows has no signals to die of: there the status has to do.
  if (process.platform === 'win32') return;
  if (exitStatus === 130) process.kill(process.pid, 'SIGINT');
  if (exitStatus === 143) process.kill(process.pid, 'SIGTERM');
}

/**
 * Aborts `controller` at the first SIGINT or SIGTERM. Listening once gives the second one its usual meaning back: it
 * kills the process, for the case that stopping cleanly hangs.
 * @returns a function that stops listening
 */
export function abortOnSignals(controller: AbortController, onAbort: () => void): () => void {
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) return;
    controller.abort(new Interrupted(signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'));
    onAbort();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return () => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
}
