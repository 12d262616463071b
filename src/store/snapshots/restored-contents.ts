import { invariant, isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import type { RestoreItem } from '../../folders/index.ts';
import { RESTORE_BATCH_BYTES, RESTORE_BATCH_FILES, RESTORE_SMALL_BYTES } from '../../limits.ts';
import type { ObjectReference } from '../../objects/index.ts';
import { freeMemory } from '../../runtime/free-memory.ts';
import { oneAhead } from '../../runtime/one-ahead.ts';
import type { FoundObject, ObjectReader } from '../objects/object-reader.ts';

/** A file on its way out, before anybody asked for its content. */
export interface RestoredFile {
  readonly item: Omit<RestoreItem, 'content'>;
  /** Of its raw blob; absent for what has no content. */
  readonly id?: string;
}

type Content = Uint8Array | StoreError | FoundObject;
type Contents = ReadonlyMap<string, Content>;

function missing(id: string): StoreError {
  return storeError('OBJECT_MISSING', `blob ${id} is missing`, { details: { object: id } });
}

/**
 * Files whose contents are read together, once the first of them is asked for: neighbours in a tree were stored side by
 * side, and opening their record for each of them would cost a hundred times as much. The batch after it is read ahead
 * then.
 */
class Batch {
  readonly #reader: ObjectReader;
  readonly #ids = new Set<string>();
  #loading: Promise<Contents> | undefined;
  #loaded: Contents | undefined;
  /** What the contents lie in. */
  readonly #memory: Uint8Array[] = [];
  /** Files of which the whole content was given, of all that have any. */
  #given = 0;
  #files = 0;
  next: Batch | undefined;

  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  add(id: string): void {
    this.#ids.add(id);
    this.#files += 1;
  }

  /** Lets go of the contents, where nobody can still be reading one piece by piece. */
  release(): void {
    if (this.#given === this.#files) freeMemory(this.#memory);
  }

  async *read(id: string): AsyncGenerator<Uint8Array> {
    const content = contentOf(await this.#start(), id);
    if (content instanceof Uint8Array) {
      if (content.length > 0) yield content;
    } else yield* this.#reader.read(content);
  }

  /**
   * All of a small content: at once, once the batch is loaded. To be asked for once.
   * @returns until the batch is released; `undefined` for one that is to be streamed
   */
  whole(id: string): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const wholeIn = (contents: Contents): Uint8Array | undefined => {
      const content = contentOf(contents, id);
      if (!(content instanceof Uint8Array)) return undefined;
      this.#given += 1;
      return content;
    };
    const loading = this.#start();
    return this.#loaded ? wholeIn(this.#loaded) : loading.then(wholeIn);
  }

  #start(): Promise<Contents> {
    const loading = this.#loadOnce();
    if (this.next) void this.next.#loadOnce();
    return loading;
  }

  #loadOnce(): Promise<Contents> {
    if (this.#loading === undefined) {
      this.#loading = this.#load();
      // Told to whoever asks for a content.
      this.#loading.catch(() => undefined);
    }
    return this.#loading;
  }

  async #load(): Promise<Contents> {
    const ids = [...this.#ids];
    const found = await this.#reader.find(ids.map((id): ObjectReference => ({ type: 'raw', id })));
    const contents = new Map<string, Content>();
    for (const [index, id] of ids.entries()) contents.set(id, found[index] ?? missing(id));
    // Large ones stream when their turn comes.
    const small = found.flatMap((one) =>
      one === undefined || isStoreError(one) || one.value.size > RESTORE_SMALL_BYTES ? [] : [one],
    );
    const bytes = await this.#reader.readAll(small, this.#memory);
    for (const [index, { reference }] of small.entries())
      contents.set(reference.id, bytes[index] ?? missing(reference.id));
    this.#loaded = contents;
    return contents;
  }
}

function contentOf(contents: Contents, id: string): Uint8Array | FoundObject {
  const content = contents.get(id);
  invariant(content, 'every file of a batch has a content');
  if (isStoreError(content)) throw content;
  return content;
}

/** Gives files their contents, batch by batch; a batch is given when the one after it is known. */
export async function* withContents(
  files: AsyncIterable<RestoredFile>,
  reader: ObjectReader,
): AsyncGenerator<RestoreItem, void, undefined> {
  let before: { readonly batch: Batch; readonly files: readonly RestoredFile[] } | undefined;
  for await (const group of oneAhead(groups(files))) {
    const batch = new Batch(reader);
    for (const { id } of group) if (id !== undefined) batch.add(id);
    if (before) {
      before.batch.next = batch;
      yield* itemsOf(before.files, before.batch);
    }
    before = { batch, files: group };
  }
  if (before) yield* itemsOf(before.files, before.batch);
}

async function* groups(files: AsyncIterable<RestoredFile>): AsyncGenerator<readonly RestoredFile[], void, undefined> {
  let group: RestoredFile[] = [];
  let bytes = 0;
  for await (const file of files) {
    group.push(file);
    const { size = 0 } = file.item;
    if (size <= RESTORE_SMALL_BYTES) bytes += size;
    if (group.length < RESTORE_BATCH_FILES && bytes < RESTORE_BATCH_BYTES) continue;
    yield group;
    [group, bytes] = [[], 0];
  }
  if (group.length > 0) yield group;
}

/** @yields items whose whole contents hold until the next item is asked for */
function* itemsOf(files: readonly RestoredFile[], batch: Batch): Generator<RestoreItem> {
  for (const { item, id } of files)
    yield id === undefined ? item : { ...item, content: () => batch.read(id), whole: () => batch.whole(id) };
  batch.release();
}
