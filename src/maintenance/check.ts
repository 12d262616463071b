/**
 * Proves what can be proven without reading content: that every row of the metadata is what was written, every entry,
 * kept version and object has its chunks, what objects and refs refer to is there, every pack is on the backend and says of itself what the metadata says of it, and journal and config
 * are whole. Each of these has a name (`invariants/names.ts`), and may be asked for alone.
 */
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import type { StoredConfig } from '../metadata/contract.ts';
import { checkConfig } from './check-config.ts';
import { checkEntries } from './check-entries.ts';
import { checkJournal } from './check-journal.ts';
import { KeyPageCheck } from './check-key-pages.ts';
import { checkObjects } from './check-objects.ts';
import { checkPacks, type PacksChecked } from './check-packs.ts';
import { checkReferences } from './check-references.ts';
import { checkRefs } from './check-refs.ts';
import { checkRows } from './check-rows.ts';
import { checkVersions } from './check-versions.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import type { Garbage } from './garbage.ts';
import { CheckRun, type InvariantReport } from './invariants/check-run.ts';
import { CHECK_INVARIANTS, type InvariantName, isInvariantName, type PassName } from './invariants/names.ts';
import type { Problem } from './problems.ts';

/** What a check proved and what it found wrong. */
export interface CheckReport {
  /**
   * `ok`: all proven. `damaged`: problems found. `partial`: something could not be looked at, and nothing else was
   * found.
   */
  readonly outcome: 'ok' | 'damaged' | 'partial';
  readonly entries: number;
  /** Earlier versions of entries that are kept, where they were looked at. */
  readonly versions: number;
  readonly objects: number;
  readonly chunks: number;
  readonly packs: number;
  readonly journalRecords: number;
  /** Of each invariant that was to be proven. */
  readonly invariants: readonly InvariantReport[];
  /** The first thousand. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  /** Packs and key pages nothing refers to: leftovers of interrupted puts, or puts that are running. Harmless. */
  readonly garbage: Garbage;
}

/** What to prove, and how. */
export interface StoreCheckOptions extends CheckOptions {
  /** Names of the invariants to prove; `true` for every one. Default: those that are not `onRequest`. */
  readonly invariants?: true | readonly InvariantName[];
}

/** What passes work on, and hand on to later ones. */
interface CheckState {
  readonly store: CheckedStore;
  readonly run: CheckRun;
  readonly options: CheckOptions;
  /** What the metadata said before anything else was looked at. */
  readonly config: StoredConfig | undefined;
  packs: PacksChecked;
  pageGarbage: Garbage;
}

const NO_GARBAGE: Garbage = { blobs: 0, bytes: 0 };
/** What is lost with a pack is known only once packs were looked for. */
const AFTER_PACKS: readonly PassName[] = ['entries', 'versions', 'objects'];

/** In their order. */
const PASSES: readonly (readonly [pass: PassName, work: (state: CheckState) => Promise<void>])[] = [
  ['metadata', ({ store, run, options }) => checkRows(store, run, options)],
  [
    'packs',
    async (state) => {
      await state.store.settle();
      state.packs = await checkPacks(state.store, state.run, state.options);
    },
  ],
  [
    'journal',
    async ({ store, run, options }) => {
      const problems = run.problemsOf('journal-chain');
      run.looked('journal-chain', await checkJournal(store, problems, options));
    },
  ],
  ['entries', passOverEntries],
  [
    'versions',
    async ({ store, run, options, packs: { lostPacks } }) => {
      const problems = run.problemsOf('versions-resolve');
      run.looked('versions-resolve', await checkVersions(store, { lostPacks, problems }, options));
    },
  ],
  [
    'objects',
    async ({ store, run, options, packs: { lostPacks } }) => {
      const problems = run.problemsOf('objects-resolve');
      run.looked('objects-resolve', await checkObjects(store, { lostPacks, problems }, options));
    },
  ],
  [
    'refs',
    async ({ store, run, options }) => {
      run.looked('refs-resolve', await checkRefs(store, run.problemsOf('refs-resolve'), options));
    },
  ],
  [
    'config',
    async ({ store, run, config }) => {
      await checkConfig(store, config, run.problemsOf('config-agrees'));
      run.looked('config-agrees', 1);
    },
  ],
  ['references', ({ store, run, options }) => checkReferences(store, run, options)],
];

async function passOverEntries(state: CheckState): Promise<void> {
  const { store, run, options, packs } = state;
  const keyPages = await KeyPageCheck.begin(store, options.signal);
  const findings = { lostPacks: packs.lostPacks, problems: run.problemsOf('entries-resolve'), keyPages };
  run.looked('entries-resolve', await checkEntries(store, findings, options));
  state.pageGarbage = await keyPages.garbage();
}

/**
 * @throws what is neither damage nor an unreachable backend; the signal's reason; TypeError and RangeError for
 *   invariants that there are none of
 */
export async function checkStore(store: CheckedStore, options: StoreCheckOptions = {}): Promise<CheckReport> {
  const run = new CheckRun(namesOf(options.invariants));
  const config = await run.pass('config', () => store.metadata.config());
  const packs = { garbage: NO_GARBAGE, lostPacks: new Set<number>() };
  const state: CheckState = { store, run, options, config, packs, pageGarbage: NO_GARBAGE };
  for (const [pass, work] of PASSES) {
    const isNeeded = run.needs(pass) || (pass === 'packs' && AFTER_PACKS.some((later) => run.needs(later)));
    if (isNeeded) await run.pass(pass, () => work(state));
  }
  return await reportOf(state);
}

/** @throws TypeError, RangeError */
function namesOf(invariants: unknown): readonly InvariantName[] {
  const all = CHECK_INVARIANTS.map(({ name }) => name);
  if (invariants === true) return all;
  if (invariants === undefined) return CHECK_INVARIANTS.flatMap(({ name, onRequest }) => (onRequest ? [] : [name]));
  if (!Array.isArray(invariants)) throw argumentTypeError('options.invariants', 'true, or names', invariants);
  const unknown = invariants.find((name) => !isInvariantName(name));
  if (unknown !== undefined) throw argumentRangeError('options.invariants', `names among ${all.join(', ')}`, unknown);
  return all.filter((name) => invariants.includes(name));
}

async function reportOf({ store, run, packs: { garbage }, pageGarbage }: CheckState): Promise<CheckReport> {
  const { entries, chunks, packs, objects } = await store.metadata.counters();
  const invariants = run.reports();
  const problems = run.problems();
  const isDamaged = invariants.some(({ outcome }) => outcome === 'violated');
  const isPartial = invariants.some(({ outcome }) => outcome === 'skipped');
  return Object.freeze({
    outcome: isDamaged ? 'damaged' : isPartial ? 'partial' : 'ok',
    ...{ entries, objects, chunks, packs },
    versions: run.lookedAt('versions-resolve'),
    journalRecords: run.lookedAt('journal-chain'),
    invariants,
    problems: Object.freeze([...problems.listed]),
    problemCount: problems.count,
    garbage: Object.freeze({ blobs: garbage.blobs + pageGarbage.blobs, bytes: garbage.bytes + pageGarbage.bytes }),
  });
}
