/** Calls that a store is working on, so that closing can wait for them. */
export class ActiveCalls {
  readonly #running = new Set<Promise<unknown>>();

  /** Runs `work` and counts it until it has settled. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const call = work();
    this.#running.add(call);
    try {
      return await call;
    } finally {
      this.#running.delete(call);
    }
  }

  /** Resolves when nothing is running, calls that began meanwhile included. Never rejects. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
