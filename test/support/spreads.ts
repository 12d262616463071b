import { MemoryBackend } from '../../src/backend/index.ts';
import { parseRedundancy } from '../../src/erasure/index.ts';
import { encodeShardSet, type NamedBackend, type ShardSet, shardBlobKey } from '../../src/shards/index.ts';
import { ForwardingBackend } from '../../src/testing/forwarding-backend.ts';
import { FaultyBackend, seededRandom } from '../../src/testing/index.ts';

/** A backend that a test can break, and what lies behind it. */
export interface TestBackend extends NamedBackend {
  readonly backend: FaultyBackend;
  readonly memory: MemoryBackend;
}

/** Backends `a`, `b`, … in memory. */
export function testBackends(count: number): readonly TestBackend[] {
  return Array.from({ length: count }, (_, index) => {
    const memory = new MemoryBackend();
    return { name: String.fromCharCode(97 + index), memory, backend: new FaultyBackend(memory) };
  });
}

/** A set over content that a seed gives. */
export function testSet(redundancy = '3+2', { bytes = 1000, seed = 1 } = {}): ShardSet {
  const random = seededRandom(seed);
  return encodeShardSet(random.bytes(bytes), parseRedundancy(redundancy), { random: random.bytes });
}

/** Keys on each backend. */
export async function keysOn(backends: readonly TestBackend[]): Promise<readonly (readonly string[])[]> {
  return await Promise.all(backends.map(async ({ memory }) => (await memory.list()).map(({ key }) => key)));
}

/** Flips a bit of a shard where it lies. */
export async function flipShard(set: ShardSet, index: number, { memory }: TestBackend): Promise<void> {
  const key = shardBlobKey(set.id, index);
  const bytes = (await memory.get(key)) ?? new Uint8Array(0);
  await memory.put(
    key,
    bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
  );
}

/** Says that it has stored what it has not. */
export class LyingBackend extends ForwardingBackend {
  override async put(): Promise<void> {}
}

/** Takes puts, and never answers a read or a put from then on; heeds its signal or not. */
export function hang({ backend }: TestBackend, ...calls: readonly ('put' | 'get' | 'head' | 'delete')[]): void {
  for (const call of calls) backend.fail({ call, how: 'wait', until: new Promise(() => undefined), times: Infinity });
}

/** Fails every call of these kinds. */
export function down({ backend }: TestBackend): void {
  for (const call of ['put', 'get', 'head', 'delete', 'list', 'space'] as const) {
    backend.fail({ call, how: 'before', times: Infinity });
  }
}
