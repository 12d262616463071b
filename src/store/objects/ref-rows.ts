import { utf8Decode } from '../../bytes/bytes.ts';
import { unscopeKey } from '../../format/index.ts';
import { checkRefName } from '../../history/ref-name.ts';
import type { MoveRow, RefRow } from '../../metadata/object-contract.ts';
import type { Engine } from '../engine.ts';
import type { Scope } from '../scope.ts';

/** The scope whose refs are meant. */
export interface RefsOf {
  readonly engine: Engine;
  readonly scope: Scope;
  readonly signal?: AbortSignal | undefined;
}

const PAGE = 256;

/** The name of a ref as the metadata holds it. @throws `invalid/REF_INVALID` */
export function refKey(scope: Scope, name: unknown): Uint8Array {
  return scope.key(checkRefName(name), 'name');
}

export function refName({ key }: Pick<RefRow, 'key'>): string {
  return utf8Decode(unscopeKey(key).key);
}

/** All refs, in an order of the store's own. */
export async function* eachRef({
  engine,
  scope,
  signal,
}: RefsOf): AsyncGenerator<RefRow & { readonly name: string }, void, undefined> {
  let after: Uint8Array | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const query = { namespace: scope.namespace, limit: PAGE, ...(after && { after }) };
    const rows = await engine.metadata.listRefs(query);
    for (const row of rows) yield { ...row, name: refName(row) };
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.key;
  }
}

/** The moves of a ref before the number `before`, newest first. */
export async function* eachMove(
  { engine, scope, signal }: RefsOf,
  name: string,
  before = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<MoveRow, void, undefined> {
  const key = refKey(scope, name);
  let number = before;
  for (;;) {
    signal?.throwIfAborted();
    const rows = await engine.metadata.getHistory('move', key, { before: number, limit: PAGE });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    number = last.number;
  }
}
