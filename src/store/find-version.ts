/** Finds versions of an entry: what it is now and what its history keeps. */
import { equalBytes, toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { HISTORY_PAGE } from '../limits.ts';
import type { EntryRow } from '../metadata/contract.ts';
import type { VersionRow } from '../metadata/object-contract.ts';
import type { Engine } from './engine.ts';
import { keyText, type OpenedEntry, toEntryInfo } from './entry-info.ts';
import type { Scope } from './scope.ts';
import { type WantedVersion, wantedText } from './version-arguments.ts';
import type { VersionInfo } from './version-types.ts';

/** A value of an entry; `step` says where in the history it is, unless it is current. */
export interface FoundVersion {
  readonly row: EntryRow;
  readonly step: Pick<VersionRow, 'number' | 'time'> | undefined;
  /**
   * When it became the value of its key, milliseconds since 1970: when the one before it was replaced, if that is kept
   * and it was not put later. So times of versions meet, although a put has its own time before it is committed.
   */
  readonly from: number;
}

export interface VersionPlace {
  readonly engine: Engine;
  readonly scope: Scope;
  /** Scoped. */
  readonly key: Uint8Array;
}

const MATCHES_LISTED = 5;

function isSame(one: EntryRow | undefined, other: EntryRow | undefined): boolean {
  if (!one || !other) return one === other;
  return one.modified === other.modified && equalBytes(one.version, other.version);
}

/** What an entry is and the newest of what it was, of one state: neither is told twice, and none is passed over. */
async function newest(
  { engine, key }: VersionPlace,
  limit: number,
): Promise<{ readonly current: EntryRow | undefined; readonly steps: readonly VersionRow[] }> {
  const { metadata } = engine;
  let [current] = await metadata.getEntries([key]);
  for (;;) {
    const steps = await metadata.getHistory('version', key, { limit });
    const [now] = await metadata.getEntries([key]);
    if (isSame(current, now)) return { current, steps };
    current = now;
  }
}

function toFound(
  { row, step }: Pick<FoundVersion, 'row' | 'step'>,
  before: Pick<VersionRow, 'time'> | undefined,
): FoundVersion {
  return { row, step, from: Math.max(row.modified, before?.time ?? 0) };
}

/** Every version, newest first, read page by page. */
export async function* versionsOf(place: VersionPlace): AsyncGenerator<FoundVersion> {
  const limit = HISTORY_PAGE;
  const { current, steps } = await newest(place, limit);
  let later: Pick<FoundVersion, 'row' | 'step'> | undefined = current && { row: current, step: undefined };
  let page = steps;
  for (;;) {
    for (const step of page) {
      if (later) yield toFound(later, step);
      later = { row: step.row, step };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < limit) break;
    page = await place.engine.metadata.getHistory('version', place.key, { before: last.number, limit });
  }
  if (later) yield toFound(later, undefined);
}

function notFound(place: VersionPlace, wanted: WantedVersion): Error {
  const details = { key: keyText(place), expected: wantedText(wanted) };
  const message = `the entry ${JSON.stringify(details.key)} has no version ${details.expected}`;
  return storeError('VERSION_NOT_FOUND', message, { details });
}

function ambiguous(place: VersionPlace, prefix: string, ids: readonly string[]): Error {
  const more = ids.length > MATCHES_LISTED ? ` and ${ids.length - MATCHES_LISTED} more` : '';
  const listed = `${ids.slice(0, MATCHES_LISTED).join(', ')}${more}`;
  const details = { key: keyText(place), digest: prefix, count: ids.length };
  return storeError('ID_AMBIGUOUS', `${ids.length} versions begin with ${prefix}: ${listed}`, { details });
}

async function byNumber(place: VersionPlace, number: number): Promise<FoundVersion | undefined> {
  const query = { before: number + 1, limit: 2 };
  const [step, before] = await place.engine.metadata.getHistory('version', place.key, query);
  return step?.number === number ? toFound({ row: step.row, step }, before) : undefined;
}

/** What was there: put by then, and not replaced or deleted yet. */
async function asOf(place: VersionPlace, time: number): Promise<FoundVersion | undefined> {
  let found: FoundVersion | undefined;
  for await (const version of versionsOf(place)) {
    if (version.step && version.step.time <= time) break;
    found = version;
  }
  return found && found.from <= time ? found : undefined;
}

async function byPrefix(place: VersionPlace, prefix: string): Promise<FoundVersion | undefined> {
  const found = new Map<string, FoundVersion>();
  for await (const version of versionsOf(place)) {
    const id = toHex(version.row.version);
    if (!id.startsWith(prefix)) continue;
    if (!found.has(id)) found.set(id, version);
    if (id === prefix) break;
  }
  if (found.size > 1) throw ambiguous(place, prefix, [...found.keys()]);
  const [only] = found.values();
  return only;
}

/** @throws `not-found/VERSION_NOT_FOUND`, `invalid/ID_AMBIGUOUS` */
export async function findVersion(place: VersionPlace, wanted: WantedVersion): Promise<FoundVersion> {
  const find = (): Promise<FoundVersion | undefined> => {
    if ('number' in wanted) return byNumber(place, wanted.number);
    return 'at' in wanted ? asOf(place, wanted.at) : byPrefix(place, wanted.prefix);
  };
  const found = await find();
  if (!found) throw notFound(place, wanted);
  return found;
}

/** Opens a version; one that was current and isolated may be shredded by now. */
export async function openVersion(place: VersionPlace, { row, step }: FoundVersion): Promise<OpenedEntry | undefined> {
  const { scopes } = place.engine;
  return step ? await scopes.openEntry(row, place.scope) : await scopes.openCurrent(row, place.scope);
}

/** What users see of a version. */
export function toVersionInfo(entry: OpenedEntry, { step, from }: FoundVersion): VersionInfo {
  const { created: _created, modified: _modified, ...info } = toEntryInfo(entry);
  return Object.freeze({
    ...info,
    ...(step && { number: step.number }),
    current: step === undefined,
    from: new Date(from).toISOString(),
    ...(step && { until: new Date(step.time).toISOString() }),
  });
}
