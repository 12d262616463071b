import { useCallback, useEffect, useState } from 'preact/hooks';

/** What is being asked for: nothing yet, an answer, or why there is none. */
export interface Loaded<T> {
  readonly value?: T;
  readonly error?: unknown;
  readonly isLoading: boolean;
  /** Asks again; what is shown stays until the answer is there. */
  readonly reload: () => void;
}

/**
 * Asks when the page is shown, and again whenever `about` changes; the answer to an older question is thrown away.
 * @param about what the question depends on
 */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, about: readonly unknown[]): Loaded<T> {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({ isLoading: true });
  const reload = useCallback(() => setRound((count) => count + 1), []);
  useEffect(() => setState({ isLoading: true }), about);
  useEffect(() => {
    const controller = new AbortController();
    ask(controller.signal).then(
      (value) => controller.signal.aborted || setState({ value, isLoading: false }),
      (error: unknown) => controller.signal.aborted || setState((before) => ({ ...before, error, isLoading: false })),
    );
    return () => controller.abort();
  }, [...about, round]);
  return { ...state, reload };
}

/** Asks again every so often, while the page can be seen. */
export function useEvery(ms: number, tick: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => document.hidden || tick(), ms);
    return () => clearInterval(timer);
  }, [ms, tick]);
}
