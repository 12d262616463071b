import { concatBytes } from '../bytes/bytes.ts';
import { type ChunkingSpec, parseChunking } from '../chunking/index.ts';
import { type ItemIds, scopeKey, scopePrefix } from '../format/index.ts';
import type { ItemReader } from '../pipeline/item-reader.ts';
import { encodeKey, encodePrefix } from './arguments.ts';

/**
 * One dedup domain of a store: the default namespace, a tenant's, or that of an isolated entry. Turns what users say
 * into what the store keeps: keys, ids and chunking.
 */
export class Scope {
  /** 0 is the default one. */
  readonly namespace: number;
  readonly ids: ItemIds;
  readonly reader: ItemReader;
  /** Under the seed of the namespace. */
  readonly #chunking: ChunkingSpec;
  readonly #chunkerSeed: bigint;

  constructor(parts: {
    readonly namespace: number;
    readonly ids: ItemIds;
    readonly reader: ItemReader;
    /** Default of the store. */
    readonly chunking: ChunkingSpec;
    /** 0n leaves cut points as published. */
    readonly chunkerSeed: bigint;
  }) {
    this.namespace = parts.namespace;
    this.ids = parts.ids;
    this.reader = parts.reader;
    this.#chunkerSeed = parts.chunkerSeed;
    this.#chunking = this.#seeded(parts.chunking, 0n);
  }

  /** A key as the metadata holds it. @throws `TypeError`, `invalid/KEY_INVALID` */
  key(text: unknown, parameter = 'key'): Uint8Array {
    return scopeKey(this.namespace, encodeKey(text, parameter));
  }

  /** The beginning of keys as the metadata holds them; `''` means all of the namespace. */
  prefix(text: unknown, parameter = 'prefix'): Uint8Array {
    return concatBytes([scopePrefix(this.namespace), encodePrefix(text, parameter)]);
  }

  /** How to cut: as asked, or as the store does; under the seed of the namespace unless the caller chose one. */
  chunking(text: string | undefined): ChunkingSpec {
    return text === undefined ? this.#chunking : this.#seeded(parseChunking(text), 0n);
  }

  /** A chunking made for another scope, with that one's seed exchanged for this one's. */
  chunkingFrom(other: Scope, spec: ChunkingSpec): ChunkingSpec {
    return this.#seeded(spec, other.#chunkerSeed);
  }

  #seeded(spec: ChunkingSpec, seed: bigint): ChunkingSpec {
    return exchangeSeed(spec, { from: seed, to: this.#chunkerSeed });
  }
}

/** A chunking under another seed; one whose seed is not `from` was chosen by somebody and stays as it is. */
export function exchangeSeed(
  spec: ChunkingSpec,
  { from, to }: { readonly from: bigint; readonly to: bigint },
): ChunkingSpec {
  return spec.kind === 'fastcdc' && spec.seed === from ? { ...spec, seed: to } : spec;
}
