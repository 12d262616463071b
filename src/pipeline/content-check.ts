import { equalBytes } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import type { EntryValue } from '../format/index.ts';
import { asDigest, createHasher, formatDigest, type Hasher } from '../hash/index.ts';
import type { ManifestChunk } from './manifest-reader.ts';

/** Compares what a whole read gave with what the entry promises. A single chunk is its content, hashed already. */
export class ContentCheck {
  readonly #value: EntryValue;
  #hasher: Hasher | undefined;
  #size = 0;
  #single: Uint8Array | undefined;

  constructor(value: EntryValue) {
    this.#value = value;
  }

  add(bytes: Uint8Array, chunk: ManifestChunk): void {
    this.#size += bytes.length;
    if (this.#value.chunkCount === 1) this.#single = chunk.digest;
    else this.#hasher = this.#running().update(bytes);
  }

  finish(): void {
    checkContent(this.#value, { size: this.#size, digest: this.#single ?? this.#running().digest() });
  }

  #running(): Hasher {
    return this.#hasher ?? createHasher('blake3');
  }
}

/** @throws `corrupt/ENTRY_CORRUPT` where what was read is not what the entry promises */
export function checkContent(
  value: EntryValue,
  { size, digest }: { readonly size: number; readonly digest: Uint8Array },
): void {
  if (size === value.size && equalBytes(digest, value.digest)) return;
  throw storeError('ENTRY_CORRUPT', 'the content is not what its digest says', {
    details: {
      expected: formatDigest('blake3', asDigest(value.digest)),
      actual: formatDigest('blake3', asDigest(digest)),
    },
  });
}
