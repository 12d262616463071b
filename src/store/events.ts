import { EventEmitter } from 'node:events';
import type { BackendStateListener } from '../placement/backend-link.ts';
import type { Logger } from './types.ts';
import type { StoreEvents, StoreMetrics } from './upkeep-types.ts';

/**
 * Events and counters of one open store. A listener or logger that throws is its owner's bug and does not reach the
 * engine.
 */
export class Telemetry {
  /** As many listen as want to: each page of a dashboard that is open is one, and none is a leak. */
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  readonly #logger: Logger | undefined;
  /** What opening told before anybody could listen. */
  #recovery: StoreEvents['recovery'] | undefined;
  /** Packs and commits are counted where they are written. */
  readonly counts: { -readonly [name in Exclude<keyof StoreMetrics, 'commits' | 'packsWritten'>]: number } = {
    puts: 0,
    gets: 0,
    deletes: 0,
    bytesIn: 0,
    bytesOut: 0,
    chunksNew: 0,
    chunksKnown: 0,
    packsMerged: 0,
    damageFound: 0,
    shardsLost: 0,
  };

  constructor(logger: Logger | undefined) {
    this.#logger = logger && guarded(logger);
  }

  get logger(): Logger | undefined {
    return this.#logger;
  }

  on<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): void {
    this.#emitter.on(event, listener as (...args: unknown[]) => void);
    if (event !== 'recovery' || this.#recovery === undefined) return;
    const report = this.#recovery;
    this.#recovery = undefined;
    this.emit('recovery', ...report);
  }

  /** Journal records were recovered while the store was opened: told to the logger now, and to the first listener. */
  recovered(report: StoreEvents['recovery'][0]): void {
    this.#recovery = [report];
    this.#logger?.info(`recovered ${report.records} journal records that the metadata did not have`, report);
  }

  /** A backend went down, or is back. */
  readonly onBackendState: BackendStateListener = (name, state, message) => {
    const text = state === 'up' ? `backend ${name} is back` : `backend ${name} cannot be used: ${message}`;
    this.#logger?.[state === 'up' ? 'info' : 'warn'](text, { backend: name });
    this.emit('backend', { name, state, message });
  };

  off<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): void {
    this.#emitter.off(event, listener as (...args: unknown[]) => void);
  }

  emit<E extends keyof StoreEvents>(event: E, ...args: StoreEvents[E]): void {
    try {
      this.#emitter.emit(event, ...args);
    } catch (error) {
      this.#logger?.error(`a listener of "${event}" threw`, { error });
    }
  }
}

/** The logger, without what it throws: nobody else could be told of that. */
function guarded(logger: Logger): Logger {
  const call =
    (level: keyof Logger): Logger['info'] =>
    (message, details) => {
      try {
        logger[level](message, details);
      } catch {}
    };
  return { debug: call('debug'), info: call('info'), warn: call('warn'), error: call('error') };
}
