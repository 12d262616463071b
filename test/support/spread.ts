/** Stripes over faulty backends in memory: what placement does when one of them misbehaves. */
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { createPackId, PackBuilder, type PackDescriptor } from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import { BackendLink } from '../../src/placement/backend-link.ts';
import { BackendSet } from '../../src/placement/backend-set.ts';
import { PackStore, type PackToWrite } from '../../src/placement/pack-store.ts';
import type { ShardLoss } from '../../src/placement/shard-loss.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { FaultyBackend } from '../../src/testing/faulty-backend.ts';
import { noise } from './contents.ts';

export const SPREAD_STORE = new Uint8Array(16).fill(9);

/** Several backends in memory, and a store of packs over them. */
export interface Spread {
  readonly backends: readonly FaultyBackend[];
  readonly set: BackendSet;
  readonly packs: PackStore;
  readonly losses: ShardLoss[];
  /** The backend that holds a shard. */
  holder(pack: PackDescriptor, index: number): FaultyBackend;
}

export interface SpreadOptions {
  readonly redundancy?: { readonly k: number; readonly m: number };
  /** Of each backend; default: one of its own. */
  readonly domains?: readonly string[];
  readonly policy?: ConstructorParameters<typeof PackStore>[0]['policy'];
  readonly map?: readonly number[];
}

export function spreadOver(count: number, options: SpreadOptions = {}): Spread {
  const backends = Array.from({ length: count }, () => new FaultyBackend(new MemoryBackend()));
  const links = backends.map((backend, at) => {
    const name = `b${at + 1}`;
    const facts = { number: at + 1, name, domain: options.domains?.[at] ?? name, weight: 1, mode: 'active' } as const;
    return new BackendLink({ facts, backend, clock: systemClock });
  });
  const set = new BackendSet(links, options.map && { map: options.map });
  const losses: ShardLoss[] = [];
  const packs = new PackStore({
    ...{ backends: set, storeId: SPREAD_STORE, random: systemRandom, keys: undefined },
    redundancy: () => options.redundancy ?? { k: 3, m: 2 },
    ...(options.policy && { policy: options.policy }),
    listener: { onLosses: (_, found) => losses.push(...found), onDegradedWrite: () => undefined },
  });
  const holder = ({ places = [] }: PackDescriptor, index: number): FaultyBackend =>
    backends[(places[index] ?? 0) - 1] as FaultyBackend;
  return { backends, set, packs, losses, holder };
}

let ordinal = 0;

/** A pack of one record. */
export function packOf(bytes = 200_000, seed = 1): PackToWrite {
  const session = SPREAD_STORE.subarray(0, 8);
  ordinal += 1;
  const builder = new PackBuilder({
    ...{ store: SPREAD_STORE, pack: createPackId(session, ordinal), session, class: 'data' },
    ...{ namespace: 0, epoch: 0, keyMode: 'plain' },
  });
  const stored = noise(bytes, seed);
  const items = [{ id: blake3(stored), length: stored.length }];
  builder.add({ kind: 'chunk', codec: 0, plainLength: stored.length, stored, items });
  return { header: builder.header, ...builder.finish() };
}

/** Changes one byte of a blob. */
export async function flip(backend: FaultyBackend, key: string, offset: number): Promise<void> {
  const bytes = await backend.get(key);
  if (bytes === undefined) throw new Error(`there is no ${key}`);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
  await backend.put(key, bytes);
}
