import type { ErrorCode } from '../../errors/codes.ts';
import { isStoreError, type StoreError } from '../../errors/store-error.ts';
import type { ItemIds, PackKeys } from '../../format/index.ts';
import type { Keyring } from '../../keys/index.ts';
import type { Inspection, InspectionProblem } from './report.ts';

/** What opens the sealed parts of a store; the keychain of an open store fits. */
export interface InspectionKeys extends PackKeys {
  readonly keyring: Keyring;
  /** @throws `denied/NAMESPACE_KEY_GONE` */
  ids(namespace: number): ItemIds;
  /** Runs `work` while the key of a namespace is at hand. @throws as `PackKeys`, and what `work` throws */
  using<T>(namespace: number, work: () => T): Promise<T>;
}

const LISTED_MAX = 1000;
/** What it looks like when keys are not those that are needed. */
const LOCKS: ReadonlySet<ErrorCode> = new Set(['EPOCH_UNKNOWN', 'NAMESPACE_KEY_GONE', 'KEY_PAGE_MISSING']);

/** Gathers what is wrong while the parts of a blob are read one after the other; one that fails stops no other. */
export class Findings {
  readonly keys: InspectionKeys | undefined;
  /** How many items of each list are told. */
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  readonly #problems: InspectionProblem[] = [];
  #count = 0;
  #isUnsupported = false;
  #isDamaged = false;
  #locked: ErrorCode | undefined;

  constructor(parts: {
    readonly keys: InspectionKeys | undefined;
    readonly limit: number;
    readonly signal?: AbortSignal | undefined;
  }) {
    this.keys = parts.keys;
    this.limit = parts.limit;
    this.signal = parts.signal;
  }

  /** Runs what reads one part. @returns `undefined` when the part is damaged, of a later version, or locked */
  async part<T>(name: string, read: () => Promise<T> | T): Promise<T | undefined> {
    try {
      this.signal?.throwIfAborted();
      return await read();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      if (LOCKS.has(error.code)) this.lock(error.code);
      else if (error.kind === 'corrupt' || error.kind === 'unsupported') this.#add(name, error);
      else throw error;
      return undefined;
    }
  }

  /** Sealed parts were not opened; the first reason counts. */
  lock(code: ErrorCode): void {
    this.#locked ??= code;
  }

  /** What was found wrong, as the report has it. */
  verdict(): Pick<Inspection, 'outcome' | 'problems' | 'problemCount' | 'locked'> {
    const bad = this.#isDamaged ? 'damaged' : 'unsupported';
    return {
      outcome: this.#isDamaged || this.#isUnsupported ? bad : 'ok',
      problems: Object.freeze(this.#problems),
      problemCount: this.#count,
      ...(this.#locked && { locked: this.#locked }),
    };
  }

  #add(part: string, { kind, code, message }: StoreError): void {
    if (kind === 'unsupported') this.#isUnsupported = true;
    else this.#isDamaged = true;
    this.#count += 1;
    if (this.#problems.length < LISTED_MAX) this.#problems.push(Object.freeze({ part, code, message }));
  }
}
