/** Stripes over several backends in memory, and ways to damage them. */
import type { Backend } from '../../src/backend/contract.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import type { Redundancy } from '../../src/erasure/index.ts';
import { createPackId, shardKey } from '../../src/format/index.ts';
import { type BackendFacts, BackendLink } from '../../src/placement/backend-link.ts';
import { BackendSet } from '../../src/placement/backend-set.ts';
import { encodeStripe } from '../../src/placement/encode-stripe.ts';
import type { PlaceBooks, Replacement } from '../../src/placement/heal-stripe.ts';
import type { PlacedStripe } from '../../src/placement/stripe-reader.ts';
import { StripeWriter, WRITE_POLICY } from '../../src/placement/stripe-writer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { FaultyBackend } from '../../src/testing/faulty-backend.ts';
import { noise } from './contents.ts';

const STORE = new Uint8Array(16).fill(7);

/** Backends numbered from 1, each a domain of its own, and what stands behind them. */
export interface TestBackends {
  readonly set: BackendSet;
  readonly memories: readonly MemoryBackend[];
  /** In front of the memories. */
  readonly faulty: readonly FaultyBackend[];
}

export function testBackends(
  count: number,
  options: {
    readonly facts?: (number: number) => Partial<BackendFacts>;
    readonly wrap?: (backend: Backend) => Backend;
  } = {},
): TestBackends {
  const memories = Array.from({ length: count }, () => new MemoryBackend());
  const faulty = memories.map((memory) => new FaultyBackend(memory));
  const links = faulty.map((backend, at) => {
    const name = `b${at + 1}`;
    const facts = {
      number: at + 1,
      name,
      domain: name,
      weight: 1,
      mode: 'active',
      ...options.facts?.(at + 1),
    } as const;
    return new BackendLink({ facts, backend: options.wrap?.(backend) ?? backend, clock: systemClock });
  });
  return { set: new BackendSet(links), memories, faulty };
}

/** A pack of noise, written as shards. @param seed tells one from another */
export async function writeStripe(
  { set }: Pick<TestBackends, 'set'>,
  redundancy: Redundancy,
  { packBytes, seed }: { readonly packBytes: number; readonly seed: number },
): Promise<PlacedStripe> {
  const pack = { id: createPackId(STORE.subarray(0, 8), seed), class: 'data' } as const;
  const identity = { store: STORE, pack: pack.id, stripeId: noise(16, seed) };
  const encoded = encodeStripe({ bytes: noise(packBytes, seed) }, identity, redundancy);
  const writer = new StripeWriter({ backends: set, policy: WRITE_POLICY }, { pack, encoded }, {});
  return { ...pack, packBytes, stripe: encoded.stripe, places: await writer.write() };
}

/** The shard as it would be if somebody had encoded other bytes under the same names. */
export function forgedShard(stripe: PlacedStripe, index: number): Uint8Array {
  const { k, m, id } = stripe.stripe;
  const identity = { store: STORE, pack: stripe.id, stripeId: id };
  const encoded = encodeStripe({ bytes: noise(stripe.packBytes, 4711) }, identity, { k, m });
  return encoded.shards[index] as Uint8Array;
}

/** Memory that a shard lies in. */
export function memoryOf({ memories }: TestBackends, { places }: PlacedStripe, index: number): MemoryBackend {
  return memories[(places[index] ?? 0) - 1] as MemoryBackend;
}

/** Kinds of damage that are seen by looking at one shard. */
export const DAMAGES = ['deleted', 'flipped', 'cut', 'grown', 'forged', 'empty', 'of another index'] as const;
export type Damage = (typeof DAMAGES)[number];

/** Damages one shard where it lies. @param at where a flip hits, from 0 to below 1 */
export async function damageShard(
  backends: TestBackends,
  stripe: PlacedStripe,
  { index, damage, at = 0.5 }: { readonly index: number; readonly damage: Damage; readonly at?: number },
): Promise<void> {
  const memory = memoryOf(backends, stripe, index);
  const key = shardKey(stripe, index);
  const bytes = (await memory.get(key)) as Uint8Array;
  const flipped = bytes.slice();
  const hit = Math.floor(at * bytes.length);
  flipped[hit] = (flipped[hit] ?? 0) ^ 1;
  const other = (index + 1) % stripe.places.length;
  const damaged: Record<Damage, () => Uint8Array | Promise<Uint8Array>> = {
    deleted: () => bytes,
    flipped: () => flipped,
    cut: () => bytes.subarray(0, hit),
    grown: () => new Uint8Array([...bytes, 0]),
    forged: () => forgedShard(stripe, index),
    empty: () => new Uint8Array(),
    'of another index': async () =>
      (await memoryOf(backends, stripe, other).get(shardKey(stripe, other))) ?? new Uint8Array([1]),
  };
  if (damage === 'deleted') await memory.delete(key);
  else await memory.put(key, await damaged[damage]());
}

/** Everything that lies on the backends: `backend number/key` to hex. */
export async function everyBlob({ memories }: TestBackends): Promise<Record<string, string>> {
  const blobs: Record<string, string> = {};
  for (const [at, memory] of memories.entries()) {
    for (const { key } of await memory.list()) {
      blobs[`${at + 1}/${key}`] = Buffer.from((await memory.get(key)) ?? []).toString('hex');
    }
  }
  return blobs;
}

/** Books of one stripe, on paper. */
export class PaperBooks implements PlaceBooks {
  readonly places: number[];
  readonly changes: Replacement[] = [];

  constructor({ places }: PlacedStripe) {
    this.places = [...places];
  }

  async isCurrent({ index, from }: Pick<Replacement, 'index' | 'from'>): Promise<boolean> {
    return this.places[index] === from;
  }

  async place(change: Replacement): Promise<'placed' | 'changed' | 'gone'> {
    if (this.places[change.index] !== change.from) return 'changed';
    this.places[change.index] = change.to;
    this.changes.push(change);
    return 'placed';
  }
}
