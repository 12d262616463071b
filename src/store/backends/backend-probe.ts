import { BACKEND_MARKER_KEY } from '../../format/index.ts';
import type { BackendLink } from '../../placement/backend-link.ts';
import type { BackendSet } from '../../placement/backend-set.ts';
import { every } from '../../runtime/timers.ts';

const PROBE_MS = 30_000;

/**
 * Asks every backend of an open store now and then whether it is there, so that one that goes away, or comes back, is
 * known before somebody needs it.
 */
export class BackendProbe {
  readonly #backends: BackendSet;
  readonly #timer: { stop(): void };
  readonly #running = new Set<BackendLink>();

  constructor(backends: BackendSet, everyMs = PROBE_MS) {
    this.#backends = backends;
    this.#timer = every(everyMs, () => this.#ask());
  }

  /** Stops asking. One that was asked and never answers is not waited for. */
  stop(): void {
    this.#timer.stop();
  }

  #ask(): void {
    // A lone backend is asked by everything that is done.
    if (this.#backends.links.length === 1) return;
    for (const link of this.#backends.links) this.#askOne(link);
  }

  async #askOne(link: BackendLink): Promise<void> {
    if (this.#running.has(link)) return;
    this.#running.add(link);
    try {
      await link.call('read', (backend) => backend.head(BACKEND_MARKER_KEY));
    } catch {
      // That it cannot be asked is what was to be found out, and the link tells of it.
    } finally {
      this.#running.delete(link);
    }
  }
}
