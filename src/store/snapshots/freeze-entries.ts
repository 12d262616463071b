/**
 * Entries frozen under one tree. No content is read or copied: what an entry is made of becomes a raw blob by a change of
 * metadata, and the tree says the rest.
 *
 * Entries are listed page by page while others may change them. Each is frozen as it was in one state. Whether all of them
 * are of one state is found out by listing them a second time: what reads the same twice, key, version, parent and time,
 * was so at the moment between. Where not, the freeze begins anew, a few times.
 */
import { equalBytes, toHex } from '../../bytes/bytes.ts';
import { invariant, isStoreError, type StoreError, storeError } from '../../errors/store-error.ts';
import { decodeEntryRow, type EntryValue } from '../../format/index.ts';
import { createHasher, type Hasher } from '../../hash/index.ts';
import { FREEZE_ATTEMPTS_MAX } from '../../limits.ts';
import type { EntryRow } from '../../metadata/contract.ts';
import { buildTree, type EntryChild, formatObjectTime, objectInvalid } from '../../objects/index.ts';
import { keyText, namingEntry } from '../entry-info.ts';
import { ObjectWriter } from '../objects/object-writer.ts';
import type { Progress } from '../types.ts';
import { entryPages, FailureList, type GraphContext } from './graph-context.ts';
import type { FrozenEntries } from './graph-types.ts';

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/** An entry, and its parent. */
interface Related {
  readonly row: EntryRow;
  readonly parent: Uint8Array | undefined;
}

/**
 * Freezes the entries whose keys begin so; `''` for all. Isolated entries are left out and listed as failures: their
 * content can be read only as long as the entry is there.
 * @param options `writer`: what was gathered last stays open in it, to be committed with what refers to the tree. Without
 *   one everything is committed
 * @returns the same tree for the same entries, whenever and wherever it is made
 * @throws `invalid/KEY_INVALID`; `denied/READ_ONLY`; what commits throw
 */
export async function freezeEntries(
  context: GraphContext,
  prefix: string,
  options: { readonly writer?: ObjectWriter; readonly onProgress?: ((progress: Progress) => void) | undefined } = {},
): Promise<FrozenEntries> {
  const { engine, scope } = context;
  engine.assertWritable();
  const writer = options.writer ?? new ObjectWriter(engine, scope);
  try {
    let frozen: FrozenEntries | undefined;
    for (let attempt = 0; attempt < FREEZE_ATTEMPTS_MAX && !frozen?.consistent; attempt += 1)
      frozen = await new Freeze(context, writer, options.onProgress).run(prefix);
    if (options.writer === undefined) await writer.commit();
    invariant(frozen, 'there was an attempt');
    return frozen;
  } catch (error) {
    if (options.writer === undefined) await writer.abandon();
    throw error;
  }
}

class Freeze {
  readonly #context: GraphContext;
  readonly #writer: ObjectWriter;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  readonly #failures = new FailureList();
  #entries = 0;
  #bytes = 0;

  constructor(context: GraphContext, writer: ObjectWriter, onProgress: ((progress: Progress) => void) | undefined) {
    this.#context = context;
    this.#writer = writer;
    this.#onProgress = onProgress;
  }

  async run(prefix: string): Promise<FrozenEntries> {
    const state = createHasher('blake3');
    const put = async (node: Parameters<ObjectWriter['put']>[0]): Promise<string> =>
      (await this.#writer.put(node)).reference.id;
    const tree = await buildTree(this.#children(prefix, state), put, { metadata: { prefix } });
    const consistent = equalBytes(state.digest(), await this.#stateNow(prefix));
    const { count: failed, listed: failures } = this.#failures;
    return Object.freeze({ tree, entries: this.#entries, bytes: this.#bytes, consistent, failed, failures });
  }

  async *#children(prefix: string, state: Hasher): AsyncGenerator<EntryChild, void, undefined> {
    for await (const rows of entryPages(this.#context, prefix)) {
      for (const related of await this.#withParents(rows)) {
        addToState(state, related);
        const child = this.#freeze(related);
        // Between two children nothing is on its way: the tree takes them one by one.
        await this.#writer.commitIfFull();
        if (child) yield child;
      }
      this.#onProgress?.({ phase: 'freeze', done: this.#entries, bytes: this.#bytes });
    }
  }

  async #withParents(rows: readonly EntryRow[]): Promise<readonly Related[]> {
    const relations = await this.#context.engine.metadata.getRelations(rows.map(({ key }) => key));
    return rows.map((row, index) => ({ row, parent: relations[index]?.parent }));
  }

  #freeze({ row, parent }: Related): EntryChild | undefined {
    const key = keyText(row);
    try {
      const value = freezable(row, key);
      const { reference } = this.#writer.adopt(value);
      this.#entries += 1;
      this.#bytes += value.size;
      return toChild({ key, row, value, parent, id: reference.id });
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#failures.add(key, error);
      return undefined;
    }
  }

  async #stateNow(prefix: string): Promise<Uint8Array> {
    const state = createHasher('blake3');
    for await (const rows of entryPages(this.#context, prefix))
      for (const related of await this.#withParents(rows)) addToState(state, related);
    return state.digest();
  }
}

function isFailure(error: unknown): error is StoreError {
  return isStoreError(error, 'ENTRY_ISOLATED', 'ENTRY_CORRUPT', 'OBJECT_INVALID');
}

/** @throws `unsupported/ENTRY_ISOLATED`, `corrupt/ENTRY_CORRUPT`, `invalid/OBJECT_INVALID` */
function freezable(row: EntryRow, key: string): EntryValue {
  const value = decoded(row, key);
  // The one name that no JSON may have.
  if (Object.hasOwn(value.attributes, '__proto__')) throw objectInvalid('attributes', 'have the name __proto__');
  return value;
}

function decoded(row: EntryRow, key: string): EntryValue {
  try {
    const opened = decodeEntryRow(row.entry);
    if ('value' in opened) return opened.value;
  } catch (error) {
    throw namingEntry(error, key);
  }
  const message = `entry ${JSON.stringify(key)} is isolated: it has a key of its own, and nothing outlives that`;
  throw storeError('ENTRY_ISOLATED', message, { details: { key } });
}

function toChild(frozen: {
  readonly key: string;
  readonly row: EntryRow;
  readonly value: EntryValue;
  readonly parent: Uint8Array | undefined;
  readonly id: string;
}): EntryChild {
  const { key, row, value, parent, id } = frozen;
  const { contentType, attributes } = value;
  return {
    ...{ type: 'entry', name: key, id, size: value.size, version: toHex(row.version) },
    ...(contentType !== undefined && { contentType }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(parent && { parent: keyText({ key: parent }) }),
    ...(value.parent && { parentVersion: toHex(value.parent) }),
    modified: formatObjectTime(BigInt(row.modified) * NANOSECONDS_PER_MILLISECOND),
  } as EntryChild;
}

/** What makes a difference to the tree, each part with its length. */
function addToState(state: Hasher, { row, parent }: Related): void {
  const head = new DataView(new ArrayBuffer(16));
  head.setUint32(0, row.key.length);
  head.setUint32(4, parent ? parent.length + 1 : 0);
  head.setFloat64(8, row.modified);
  state.update(new Uint8Array(head.buffer));
  state.update(row.key);
  state.update(row.version);
  if (parent) state.update(parent);
}
