/** Is the manifest of a content whole, and is each of its chunks where it can be read? Whatever holds the content. */
import { concatBytes, equalBytes, toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import type { EntryValue } from '../format/index.ts';
import { asDigest } from '../hash/index.ts';
import { LOOKUP_BATCH_CHUNKS } from '../limits.ts';
import { createMerkleBuilder } from '../merkle/index.ts';
import type { ItemLocation } from '../metadata/contract.ts';
import { entryChunks } from '../pipeline/content-reader.ts';
import type { ManifestChunk } from '../pipeline/manifest-reader.ts';
import type { CheckedStore, NamespaceContent } from './checked-store.ts';

/** A content that something keeps: an entry, one of its versions, an object. */
export interface KeptContent extends NamespaceContent {
  readonly value: EntryValue;
  /** Told of the first thing that is wrong with it. */
  readonly tell: (error: unknown) => Promise<void>;
}

interface WaitingChunk {
  readonly content: KeptContent;
  readonly chunk: ManifestChunk;
}

/** Looks up the chunks of many contents together; what is held are the chunks of one batch. */
export class ContentCheck {
  readonly #store: Pick<CheckedStore, 'metadata'>;
  /** Numbers of packs whose blobs are gone. */
  readonly #lostPacks: ReadonlySet<number>;
  readonly #waiting: WaitingChunk[] = [];
  /** The last content that was told of: its chunks follow each other. */
  #told: KeptContent | undefined;

  constructor(store: Pick<CheckedStore, 'metadata'>, lostPacks: ReadonlySet<number>) {
    this.#store = store;
    this.#lostPacks = lostPacks;
  }

  /** Takes a content; its chunks may be looked up later. */
  async add(content: KeptContent): Promise<void> {
    try {
      const { value, reader } = content;
      const tree = createMerkleBuilder();
      for await (const chunk of entryChunks(reader, value)) {
        tree.addLeaf(chunk.offset, chunk.length, asDigest(chunk.digest));
        this.#waiting.push({ content, chunk });
        if (this.#waiting.length >= LOOKUP_BATCH_CHUNKS) await this.finish();
      }
      if (equalBytes(tree.root(value.size), value.root)) return;
      throw storeError('ENTRY_CORRUPT', 'the Merkle root is not that of the chunks');
    } catch (error) {
      await content.tell(error);
    }
  }

  /** Looks up what is left. */
  async finish(): Promise<void> {
    // Telling of one may bring another in its place, which was put meanwhile.
    for (let batch = this.#waiting.splice(0); batch.length > 0; batch = this.#waiting.splice(0)) {
      const ids = concatBytes(batch.map(({ chunk, content }) => content.ids.idOf('chunk', chunk.digest)));
      const locations = await this.#store.metadata.locate('chunk', ids);
      for (const [index, { content, chunk }] of batch.entries()) {
        const wrong = this.#told === content ? undefined : this.#whatIsWrong(chunk, locations[index]);
        if (wrong === undefined) continue;
        this.#told = content;
        await content.tell(wrong);
      }
    }
  }

  #whatIsWrong(chunk: ManifestChunk, location: ItemLocation | undefined): Error | undefined {
    const digest = `blake3:${toHex(chunk.digest)}`;
    const details = { digest, ...(location?.pack && { packId: toHex(location.pack.id) }) };
    if (location === undefined || (location.pack && this.#lostPacks.has(location.pack.number))) {
      return storeError('CHUNK_MISSING', `chunk ${digest} is missing`, { details });
    }
    if (location.length !== chunk.length) {
      return storeError('CHUNK_CORRUPT', `chunk ${digest} is not ${chunk.length} bytes long`, { details });
    }
    if (!location.suspect) return undefined;
    return storeError('CHUNK_CORRUPT', `chunk ${digest} was found damaged by an earlier read`, { details });
  }
}
