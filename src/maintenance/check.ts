/**
 * Proves what can be proven without reading content: that every row of the metadata is what was written, every entry,
 * kept version and object has its chunks, what objects and refs refer to is there, every pack is on the backend and says of itself what the metadata says of it, and journal and config
 * are whole.
 */
import { checkConfig } from './check-config.ts';
import { checkEntries } from './check-entries.ts';
import { checkJournal } from './check-journal.ts';
import { KeyPageCheck } from './check-key-pages.ts';
import { checkObjects } from './check-objects.ts';
import { checkPacks } from './check-packs.ts';
import { checkRefs } from './check-refs.ts';
import { checkVersions } from './check-versions.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import type { Garbage } from './garbage.ts';
import { type Problem, ProblemList } from './problems.ts';

/** What a check proved and what it found wrong. */
export interface CheckReport {
  /**
   * `ok`: all proven. `damaged`: problems found. `partial`: something could not be looked at, and nothing else was
   * found.
   */
  readonly outcome: 'ok' | 'damaged' | 'partial';
  readonly entries: number;
  /** Earlier versions of entries that are kept. */
  readonly versions: number;
  readonly objects: number;
  readonly chunks: number;
  readonly packs: number;
  readonly journalRecords: number;
  /** The first thousand. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  /** Packs and key pages nothing refers to: leftovers of interrupted puts, or puts that are running. Harmless. */
  readonly garbage: Garbage;
}

/** @throws what is neither damage nor an unreachable backend; the signal's reason */
export async function checkStore(store: CheckedStore, options: CheckOptions = {}): Promise<CheckReport> {
  const problems = new ProblemList();
  /** A damaged row ends the part that met it, and no other one. */
  const part = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      problems.addError(error);
      return otherwise;
    }
  };
  const config = await part(() => store.metadata.config(), undefined);
  await checkMetadata(store, problems, options);
  await part(() => store.settle(), undefined);
  const nothing = { garbage: { blobs: 0, bytes: 0 }, lostPacks: new Set<number>() };
  const { garbage, lostPacks } = await part(() => checkPacks(store, problems, options), nothing);
  const journalRecords = await part(() => checkJournal(store, problems, options), 0);
  const pageGarbage = await part(async () => {
    const keyPages = await KeyPageCheck.begin(store, options.signal);
    await checkEntries(store, { lostPacks, problems, keyPages }, options);
    return await keyPages.garbage();
  }, nothing.garbage);
  const versions = await part(() => checkVersions(store, { lostPacks, problems }, options), 0);
  const objects = await part(() => checkObjects(store, { lostPacks, problems }, options), 0);
  await part(() => checkRefs(store, { lostPacks, problems }, options), undefined);
  await part(() => checkConfig(store, config, problems), undefined);
  const { entries, chunks, packs } = await store.metadata.counters();
  const damaged = problems.count > problems.unseen;
  return Object.freeze({
    outcome: damaged ? 'damaged' : problems.unseen > 0 ? 'partial' : 'ok',
    entries,
    versions,
    objects,
    chunks,
    packs,
    journalRecords,
    problems: Object.freeze([...problems.listed]),
    problemCount: problems.count,
    garbage: Object.freeze({ blobs: garbage.blobs + pageGarbage.blobs, bytes: garbage.bytes + pageGarbage.bytes }),
  });
}

async function checkMetadata(
  { metadata }: CheckedStore,
  problems: ProblemList,
  { signal, onProgress }: CheckOptions,
): Promise<void> {
  const found = await metadata.check({
    ...(signal && { signal }),
    progress: (done, total) => onProgress?.({ phase: 'check metadata', done, total, bytes: 0 }),
  });
  for (const message of found.problems) problems.add({ code: 'METADATA_CORRUPT', message });
  for (const { table, damagedRows, sumMatches } of found.tables) {
    if (damagedRows > 0)
      problems.add({ code: 'METADATA_CORRUPT', message: `table ${table}: ${damagedRows} rows are damaged` });
    if (!sumMatches) problems.add({ code: 'METADATA_CORRUPT', message: `table ${table}: rows appeared or vanished` });
  }
}
