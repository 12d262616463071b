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
