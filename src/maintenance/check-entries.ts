/** Does every entry decode, is its manifest whole, and is each of its chunks where it can be read? */
import { equalBytes, utf8Decode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { entryVersion, scopePrefix, unscopeKey } from '../format/index.ts';
import type { EntryRow } from '../metadata/contract.ts';
import { ContentCheck } from './check-content.ts';
import type { KeyPageCheck } from './check-key-pages.ts';
import type { CheckedEntry, CheckedStore, CheckOptions } from './checked-store.ts';
import { isProblem, type ProblemList, type ProblemPlace, placeIn } from './problems.ts';

const PAGE_ENTRIES = 1000;

/** What is known before content is looked for, and where problems go. */
export interface ContentFindings {
  /** Numbers of packs whose blobs are gone. */
  readonly lostPacks: ReadonlySet<number>;
  readonly problems: ProblemList;
}

interface EntryFindings extends ContentFindings {
  /** Told of every entry. */
  readonly keyPages: KeyPageCheck;
}

/** @returns how many entries were looked at */
export async function checkEntries(
  store: CheckedStore,
  findings: EntryFindings,
  options: CheckOptions,
): Promise<number> {
  const { signal, onProgress } = options;
  const { entries: total } = await store.metadata.counters();
  const check = new EntryCheck(store, findings);
  let done = 0;
  let bytes = 0;
  for await (const row of allEntries(store)) {
    signal?.throwIfAborted();
    await check.add(row);
    done += 1;
    bytes += row.size;
    onProgress?.({ phase: 'check entries', done, total, bytes });
  }
  await check.finish();
  return done;
}

async function* allEntries({ metadata, namespaces }: CheckedStore): AsyncGenerator<EntryRow> {
  for (const namespace of namespaces.keys()) {
    const prefix = scopePrefix(namespace);
    for (let after: EntryRow | undefined; ; ) {
      const page = await metadata.listEntries({
        limit: PAGE_ENTRIES,
        ...(prefix.length > 0 && { prefix }),
        ...(after && { after: { key: after.key } }),
      });
      yield* page;
      after = page.at(-1);
      if (after === undefined) break;
    }
  }
}

/** @throws `corrupt/ENTRY_CORRUPT`, and what opening it throws */
export async function openChecked(store: CheckedStore, row: EntryRow): Promise<CheckedEntry> {
  const entry = await store.openEntry(row);
  const { value } = entry;
  const isVersion = entry.isolated || equalBytes(entryVersion(value), row.version);
  if (isVersion && value.size === row.size) return entry;
  throw storeError('ENTRY_CORRUPT', 'version or size of the entry do not belong to it');
}

/** Of each entry the first thing that is wrong is told. */
class EntryCheck {
  readonly #store: CheckedStore;
  readonly #findings: EntryFindings;
  readonly #content: ContentCheck;

  constructor(store: CheckedStore, findings: EntryFindings) {
    this.#store = store;
    this.#findings = findings;
    this.#content = new ContentCheck(store, findings.lostPacks);
  }

  async add(row: EntryRow): Promise<void> {
    const tell = (error: unknown): Promise<void> => this.#tell(row, error);
    let entry: CheckedEntry;
    try {
      this.#findings.keyPages.saw(row);
      entry = await openChecked(this.#store, row);
    } catch (error) {
      return tell(error);
    }
    const { value, ids, reader } = entry;
    await this.#content.add({ value, ids, reader, tell });
  }

  finish(): Promise<void> {
    return this.#content.finish();
  }

  /**
   * Tells of an entry, unless it is another one or gone by now: an isolated entry that is deleted takes its key and its
   * chunks with it, and one that was just listed looks damaged then.
   */
  async #tell(row: EntryRow, error: unknown): Promise<void> {
    if (!isProblem(error)) throw error;
    const [now] = await this.#store.metadata.getEntries([row.key]);
    if (now === undefined) return;
    if (!equalBytes(now.version, row.version)) return this.add(now);
    this.#findings.problems.addError(error, aboutEntry(this.#store, row));
  }
}

/** How problems name an entry. */
export function aboutEntry(store: Pick<CheckedStore, 'namespaces'>, row: Pick<EntryRow, 'key'>): ProblemPlace {
  const { key, namespace } = unscopeKey(row.key);
  return { key: utf8Decode(key), ...placeIn(store, namespace) };
}
