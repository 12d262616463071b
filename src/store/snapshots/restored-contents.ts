import { invariant, isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import type { RestoreItem } from '../../folders/index.ts';
import { RESTORE_BATCH_BYTES, RESTORE_BATCH_FILES, RESTORE_SMALL_BYTES } from '../../limits.ts';
import type { ObjectReference } from '../../objects/index.ts';
import type { FoundObject, ObjectReader } from '../objects/object-reader.ts';

/** A file on its way out, before anybody asked for its content. */
export interface RestoredFile {
  readonly item: Omit<RestoreItem, 'content'>;
  /** Of its raw blob; absent for what has no content. */
  readonly id?: string;
}

type Content = Uint8Array | StoreError | FoundObject;

function missing(id: string): StoreError {
  return storeError('OBJECT_MISSING', `blob ${id} is missing`, { details: { object: id } });
}

/**
 * Files whose contents are read together, once the first of them is asked for: neighbours in a tree were stored side by
 * side, and opening their record for each of them would cost a hundred times as much.
 */
class Batch {
  readonly #reader: ObjectReader;
  readonly #ids = new Set<string>();
  #contents: Promise<ReadonlyMap<string, Content>> | undefined;

  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  add(id: string): void {
    this.#ids.add(id);
  }

  async *read(id: string): AsyncGenerator<Uint8Array> {
    this.#contents ??= this.#load();
    const content = (await this.#contents).get(id);
    invariant(content, 'every file of a batch has a content');
    if (isStoreError(content)) throw content;
    if (content instanceof Uint8Array) {
      if (content.length > 0) yield content;
    } else yield* this.#reader.read(content);
  }

  async #load(): Promise<ReadonlyMap<string, Content>> {
    const ids = [...this.#ids];
    const found = await this.#reader.find(ids.map((id): ObjectReference => ({ type: 'raw', id })));
    const contents = new Map<string, Content>();
    for (const [index, id] of ids.entries()) contents.set(id, found[index] ?? missing(id));
    // Large ones stream when their turn comes.
    const small = found.flatMap((one) =>
      one === undefined || isStoreError(one) || one.value.size > RESTORE_SMALL_BYTES ? [] : [one],
    );
    const bytes = await this.#reader.readAll(small);
    for (const [index, { reference }] of small.entries())
      contents.set(reference.id, bytes[index] ?? missing(reference.id));
    return contents;
  }
}

/** Gives files their contents, batch by batch. */
export async function* withContents(
  files: AsyncIterable<RestoredFile>,
  reader: ObjectReader,
): AsyncGenerator<RestoreItem, void, undefined> {
  let waiting: RestoredFile[] = [];
  let bytes = 0;
  const flush = (): readonly RestoreItem[] => {
    const batch = new Batch(reader);
    const items = waiting.map(({ item, id }): RestoreItem => {
      if (id === undefined) return item;
      batch.add(id);
      return { ...item, content: () => batch.read(id) };
    });
    waiting = [];
    bytes = 0;
    return items;
  };
  for await (const file of files) {
    waiting.push(file);
    const { size = 0 } = file.item;
    if (size <= RESTORE_SMALL_BYTES) bytes += size;
    if (waiting.length >= RESTORE_BATCH_FILES || bytes >= RESTORE_BATCH_BYTES) yield* flush();
  }
  yield* flush();
}
