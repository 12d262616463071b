/**
 * Compares two countings of very many things without remembering any of them: ids are digests, so that sums of them,
 * each as often as it was counted, are equal when the counts are, but for a chance of 2^-256. Apart by kind and by the first bits of
 * the id, so that those that differ are narrowed down before anything is looked at by itself.
 */
import { toHex } from '../../bytes/bytes.ts';
import { blake3 } from '../../hash/index.ts';
import type { KeptCount } from '../../metadata/index.ts';

/** What is counted. */
export type CountedKind = KeptCount['kind'];

/** Something counted, by its kind and its id or key. */
export interface CountedThing {
  readonly kind: CountedKind;
  readonly key: Uint8Array;
}

/** Sums of each kind. */
const BUCKETS = 4096;
const KINDS: Readonly<Record<CountedKind, number>> = { chunk: 0, manifest: 1, object: 2 };
/** Buckets that are looked at closely; more that differ are told by their number. */
const DIFFERING_MAX = 16;

/** A digest that is of it alone: keys of objects begin alike, and end like the ids of chunks. */
export function digestOf({ kind, key }: CountedThing): Uint8Array {
  return kind === 'object' ? blake3(key) : key;
}

function bucketOf(kind: CountedKind, digest: Uint8Array): number {
  const high = digest[0] ?? 0;
  const low = digest[1] ?? 0;
  return KINDS[kind] * BUCKETS + ((high << 4) | (low >> 4));
}

/** Takes counts: `kept` ones, and those that were `found`. */
export interface CountSink {
  add(thing: CountedThing, from: 'kept' | 'found', times: number): void;
}

/** What is kept less what was found, as sums. */
export class ReferenceSums implements CountSink {
  readonly #sums = Array.from({ length: BUCKETS * Object.keys(KINDS).length }, () => 0n);

  add(thing: CountedThing, from: 'kept' | 'found', times: number): void {
    const digest = digestOf(thing);
    const bucket = bucketOf(thing.kind, digest);
    const weight = BigInt(from === 'kept' ? times : -times);
    this.#sums[bucket] = (this.#sums[bucket] ?? 0n) + weight * BigInt(`0x${toHex(digest)}`);
  }

  /** Buckets in which something differs. */
  get differing(): readonly number[] {
    return this.#sums.flatMap((sum, bucket) => (sum === 0n ? [] : [bucket]));
  }
}

/** How often something is counted, and how often it was found. */
export interface Drift extends CountedThing {
  kept: number;
  found: number;
}

/** The things of some buckets, each by itself. */
export class ReferenceDrifts implements CountSink {
  readonly #buckets: ReadonlySet<number>;
  readonly #things = new Map<string, Drift>();

  constructor(buckets: readonly number[]) {
    this.#buckets = new Set(buckets.slice(0, DIFFERING_MAX));
  }

  add(thing: CountedThing, from: 'kept' | 'found', times: number): void {
    const { kind, key } = thing;
    if (!this.#buckets.has(bucketOf(kind, digestOf(thing)))) return;
    const name = `${kind} ${toHex(key)}`;
    const known = this.#things.get(name) ?? { kind, key, kept: 0, found: 0 };
    known[from] += times;
    this.#things.set(name, known);
  }

  /** Those that differ. */
  get drifts(): readonly Drift[] {
    return [...this.#things.values()].filter(({ kept, found }) => kept !== found);
  }
}
