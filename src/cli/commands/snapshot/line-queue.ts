import type { Session } from '../../session.ts';

/** Lines of results that are told while something goes on that does not wait for whoever reads them. */
export class LineQueue {
  readonly #session: Session;
  #last = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
  }

  add(value: object, text: () => string): void {
    this.#last = this.#last.then(() => this.#session.confirm(value, text));
    // What goes wrong is told by `written`.
    this.#last.catch(() => undefined);
  }

  written(): Promise<void> {
    return this.#last;
  }
}
