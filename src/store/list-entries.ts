import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { LIST_PAGE_DEFAULT } from '../limits.ts';
import type { EntryFilter, EntryQuery, EntryRow } from '../metadata/contract.ts';
import { matchesValue } from '../metadata/entry-index/entry-filter.ts';
import { checkAttributes, checkContentType, parseTime } from './arguments.ts';
import type { Engine } from './engine.ts';
import { toEntryInfo } from './entry-info.ts';
import type { Scope } from './scope.ts';
import type { EntryInfo, ListOptions } from './types.ts';

type Sort = NonNullable<ListOptions['sort']>;

const SORTS: readonly Sort[] = ['key', 'modified', 'size'];

/**
 * Entries in the asked order, fetched page by page: each page is one state of the store, a later page may be a newer
 * one.
 * @throws `TypeError`, `RangeError`, `invalid/KEY_INVALID`
 */
export async function* listEntries(
  { engine, scope }: { readonly engine: Engine; readonly scope: Scope },
  options: ListOptions,
): AsyncGenerator<EntryInfo> {
  const query = toQuery(scope, options);
  const { signal } = options;
  let left = options.limit === undefined ? Number.POSITIVE_INFINITY : checkInteger('limit', options.limit, { min: 0 });
  let after = query.after;
  while (left > 0) {
    signal?.throwIfAborted();
    const limit = Math.min(left, LIST_PAGE_DEFAULT);
    const rows = await engine.metadata.listEntries({ ...query, limit, ...(after && { after }) }, signal && { signal });
    for (const row of rows) {
      const entry = await engine.scopes.openCurrent(row, scope);
      // The metadata cannot see into an isolated entry, and lets it through every filter.
      if (entry === undefined || (entry.isolated && !matchesValue(entry.value, query.where ?? {}))) continue;
      left -= 1;
      yield toEntryInfo(entry);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    after = placeOf(last, query.sort);
  }
}

type Query = Omit<EntryQuery, 'limit'> & { readonly sort: Sort };

function toQuery(scope: Scope, options: ListOptions): Query {
  const { sort = 'key' } = options;
  if (!SORTS.includes(sort)) throw argumentRangeError('sort', 'one of key, modified, size', sort);
  const after = options.after === undefined ? undefined : checkAfter(scope, options.after, sort);
  return {
    sort,
    descending: options.descending === true,
    ...prefixOf(scope, options.prefix),
    ...(after && { after }),
    ...(options.where && { where: toFilter(options.where) }),
  };
}

/** Without a prefix a list is one of the default namespace. */
function prefixOf(scope: Scope, text: string | undefined): Pick<EntryQuery, 'prefix'> {
  const prefix = scope.prefix(text ?? '');
  return prefix.length === 0 ? {} : { prefix };
}

function checkAfter(scope: Scope, after: string | EntryInfo, sort: Sort): EntryQuery['after'] {
  if (typeof after === 'string') {
    if (sort !== 'key')
      throw argumentTypeError('after', `the entry that ended the page before, to go on by ${sort}`, after);
    return { key: scope.prefix(after, 'after') };
  }
  if (typeof after !== 'object' || after === null) throw argumentTypeError('after', 'a key or an entry', after);
  const key = scope.key(after.key, 'after.key');
  if (sort === 'key') return { key };
  return {
    key,
    value:
      sort === 'size'
        ? checkInteger('after.size', after.size, { min: 0 })
        : parseTime(after.modified, 'after.modified'),
  };
}

function placeOf(row: EntryRow, sort: Sort): NonNullable<EntryQuery['after']> {
  return sort === 'key' ? { key: row.key } : { key: row.key, value: sort === 'size' ? row.size : row.modified };
}

function toFilter(where: NonNullable<ListOptions['where']>): EntryFilter {
  return {
    ...(where.modifiedFrom !== undefined && { modifiedFrom: parseTime(where.modifiedFrom, 'where.modifiedFrom') }),
    ...(where.modifiedBefore !== undefined && {
      modifiedBefore: parseTime(where.modifiedBefore, 'where.modifiedBefore'),
    }),
    ...(where.contentType !== undefined && { contentType: checkContentType(where.contentType) }),
    ...(where.attributes !== undefined && { attributes: checkAttributes(where.attributes) }),
  };
}
