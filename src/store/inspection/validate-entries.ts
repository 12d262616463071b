import { DigestSet } from '../../hash/digest-set.ts';
import { DIGESTS_KEPT_MAX } from '../../limits.ts';
import type { Engine } from '../engine.ts';
import { entryNotFound } from '../entry-content.ts';
import type { Scope } from '../scope.ts';
import { entryRows } from './entry-rows.ts';
import type { EntryValidation, ValidateAllOptions, ValidateOptions } from './report-types.ts';
import { validateEntry } from './validate-entry.ts';

/** The entries of a namespace. */
interface Place {
  readonly engine: Engine;
  readonly scope: Scope;
}

/** Validates what is under a key. @throws `not-found/ENTRY_NOT_FOUND` */
export async function validateKey(
  { engine, scope }: Place,
  key: string,
  options: ValidateOptions,
): Promise<EntryValidation> {
  const { metadata, scopes } = engine;
  const { signal, onProgress, onProblem } = options;
  const [row] = await metadata.getEntries([scope.key(key)]);
  if (row === undefined) throw entryNotFound(key);
  let bytes = 0;
  const onBytes = (more: number): void => {
    bytes += more;
    onProgress?.({ phase: 'validate', done: bytes, total: row.size, bytes });
  };
  const settings = { onBytes, onProblem, ...(signal && { signal }) };
  const found = await validateEntry({ metadata, scopes, scope }, row, settings);
  if (found === undefined) throw entryNotFound(key);
  return found;
}

/** Validates the entries of a namespace in order of their keys; those that go meanwhile are left out. */
export async function* validateEntries(
  { engine, scope }: Place,
  options: ValidateAllOptions,
): AsyncGenerator<EntryValidation> {
  const { metadata, scopes } = engine;
  const { signal, onProgress, after } = options;
  const all = options.prefix === undefined && after === undefined;
  const total = all ? (await metadata.namespaceCounters(scope.namespace)).entries : undefined;
  const goodContents = new DigestSet(DIGESTS_KEPT_MAX);
  const good = options.sharedOnce ? new DigestSet(DIGESTS_KEPT_MAX) : undefined;
  let [done, bytes] = [0, 0];
  const tell = (): void => onProgress?.({ phase: 'validate', done, bytes, ...(total !== undefined && { total }) });
  const onBytes = (more: number): void => {
    bytes += more;
    tell();
  };
  const page = {
    prefix: scope.prefix(options.prefix ?? ''),
    ...(after !== undefined && { after: scope.prefix(after, 'after') }),
    ...(signal && { signal }),
  };
  for await (const row of entryRows(metadata, page)) {
    const settings = { onBytes, good, goodContents, ...(signal && { signal }) };
    const found = await validateEntry({ metadata, scopes, scope }, row, settings);
    done += 1;
    tell();
    if (found) yield found;
  }
}
