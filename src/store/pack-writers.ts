import { formatRedundancy, type Redundancy } from '../erasure/index.ts';
import { PACK_BUFFER_BYTES, type PackClass } from '../format/index.ts';
import { ISOLATED_NAMESPACE_MIN } from '../limits.ts';
import type { PackStore } from '../placement/pack-store.ts';
import { BufferPool } from '../runtime/buffer-pool.ts';
import type { Health } from './health.ts';
import { PACK_WRITES_AT_ONCE, PackWriter, type RegisterPack } from './pack-writer.ts';
import type { Session } from './session.ts';

/** The two pack writers of a namespace. */
export interface NamespaceWriters {
  readonly chunkPacks: PackWriter;
  readonly nodePacks: PackWriter;
}

/** Packs that may share writers: of one namespace, and of one redundancy. */
export interface WriterGroup {
  readonly namespace: number;
  /** Absent: that of the store, whatever it is when a pack is written. */
  readonly redundancy?: Redundancy;
}

interface Slot extends NamespaceWriters {
  users: number;
}

const DEFAULT_NAMESPACE = 0;

/**
 * Pack writers by namespace: a pack holds one namespace only. Those of the default namespace stay, those of others go
 * with the last operation that uses them, so that a thousand tenants cost no memory while they are idle.
 */
export class PackWriters {
  readonly #parts: {
    readonly packs: PackStore;
    readonly session: Session;
    readonly register: RegisterPack;
    readonly health: Health;
  };
  readonly #buffers = new BufferPool({ bytes: PACK_BUFFER_BYTES, keptMax: PACK_WRITES_AT_ONCE + 1 });
  readonly #slots = new Map<string, Slot>();
  /** Namespaces whose packs may have become worth merging. */
  readonly #touched = new Set<number>();
  #writtenByGone = 0;
  #leftBehind = false;

  constructor(parts: {
    readonly packs: PackStore;
    readonly session: Session;
    readonly register: RegisterPack;
    readonly health: Health;
  }) {
    this.#parts = parts;
    this.acquire({ namespace: DEFAULT_NAMESPACE });
  }

  /** Packs written since the store was opened. */
  get packsWritten(): number {
    let written = this.#writtenByGone;
    for (const slot of this.#slots.values()) written += packsWritten(slot);
    return written;
  }

  /** Whether packs were written, perhaps only in part, that no commit knows. */
  get leftBehind(): boolean {
    return this.#leftBehind || [...this.#slots.values()].some(leftBehind);
  }

  /** The writers of a group; give them back with `release`. */
  acquire(group: WriterGroup): NamespaceWriters {
    const name = nameOf(group);
    const slot = this.#slots.get(name) ?? this.#open(group);
    slot.users += 1;
    this.#slots.set(name, slot);
    return slot;
  }

  release(group: WriterGroup): void {
    const slot = this.#slots.get(nameOf(group));
    if (slot === undefined) return;
    slot.users -= 1;
    if (slot.users > 0) return;
    this.#slots.delete(nameOf(group));
    this.#writtenByGone += packsWritten(slot);
    this.#leftBehind ||= leftBehind(slot);
    const { namespace } = group;
    // An isolated entry is one operation: its packs never get neighbours.
    if (packsWritten(slot) > 0 && namespace < ISOLATED_NAMESPACE_MIN) this.#touched.add(namespace);
    slot.chunkPacks.abandon();
    slot.nodePacks.abandon();
  }

  /** Namespaces that packs were written for since the last call, the default one always. */
  takeTouched(): readonly number[] {
    const touched = [...new Set([DEFAULT_NAMESPACE, ...this.#touched])];
    this.#touched.clear();
    return touched;
  }

  /** They were not looked at. */
  giveBack(touched: readonly number[]): void {
    for (const namespace of touched) this.#touched.add(namespace);
  }

  #open({ namespace, redundancy }: WriterGroup): Slot {
    const { packs, session, register, health } = this.#parts;
    const open = (packClass: PackClass, buffers?: BufferPool): PackWriter =>
      new PackWriter({
        newPack: () => session.newPack(packClass, namespace),
        epoch: () => session.epoch,
        ...{ packs, register, health, buffers, redundancy },
      });
    // A buffer holds a full pack: an entry with packs for itself, or a page of nodes, rarely fills one.
    const growing = namespace >= ISOLATED_NAMESPACE_MIN ? undefined : this.#buffers;
    return { chunkPacks: open('data', growing), nodePacks: open('meta'), users: 0 };
  }
}

function nameOf({ namespace, redundancy }: WriterGroup): string {
  return redundancy ? `${namespace}/${formatRedundancy(redundancy)}` : String(namespace);
}

function packsWritten({ chunkPacks, nodePacks }: NamespaceWriters): number {
  return chunkPacks.packsWritten + nodePacks.packsWritten;
}

function leftBehind({ chunkPacks, nodePacks }: NamespaceWriters): boolean {
  return chunkPacks.leftBehind || nodePacks.leftBehind;
}
