/** Is what refs name there, and what they named before? */
import { toHex, utf8Decode } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { parseObjectKey, unscopeKey } from '../format/index.ts';
import type { CheckedStore, CheckOptions } from './checked-store.ts';
import { type ProblemList, placeIn } from './problems.ts';

const PAGE = 256;

/** A ref, now or after one of its moves, and the object key that it leads to. */
interface Named {
  readonly key: Uint8Array;
  readonly target: Uint8Array;
  /** Absent for what the ref names now. */
  readonly move?: number;
}

/** @returns how many refs and moves were looked at */
export async function checkRefs(
  store: CheckedStore,
  problems: ProblemList,
  { signal, onProgress }: CheckOptions,
): Promise<number> {
  let done = 0;
  for (const namespace of store.namespaces.keys()) {
    for await (const page of namedIn(store, namespace)) {
      signal?.throwIfAborted();
      const rows = await store.metadata.getObjects(page.map(({ target }) => target));
      for (const [index, named] of page.entries()) if (!rows[index]) await tell(store, named, problems);
      done += page.length;
      onProgress?.({ phase: 'check refs', done, bytes: 0 });
    }
  }
  return done;
}

async function* namedIn({ metadata }: CheckedStore, namespace: number): AsyncGenerator<readonly Named[]> {
  for (let after: Uint8Array | undefined; ; ) {
    const refs = await metadata.listRefs({ namespace, limit: PAGE, ...(after && { after }) });
    yield refs;
    after = refs.at(-1)?.key;
    if (after === undefined) break;
  }
  let after: Uint8Array | undefined;
  do {
    const { keys, next } = await metadata.listHistories('move', { namespace, limit: PAGE, ...(after && { after }) });
    for (const key of keys) {
      for (let before: number | undefined; ; ) {
        const moves = await metadata.getHistory('move', key, {
          limit: PAGE,
          ...(before !== undefined && { before }),
        });
        // Where a move came from is kept by the move that led there, unless that one was forgotten.
        yield moves.flatMap(({ number, to }) => (to ? [{ key, target: to, move: number }] : []));
        before = moves.at(-1)?.number;
        if (before === undefined) break;
      }
    }
    after = next;
  } while (after);
}

/** Nobody is told of a ref that was moved on or forgotten meanwhile. */
async function tell(store: CheckedStore, { key, target, move }: Named, problems: ProblemList): Promise<void> {
  const { metadata } = store;
  if (move === undefined) {
    const [now] = await metadata.getRefs([key]);
    if (now === undefined || toHex(now.target) !== toHex(target)) return;
  } else {
    const [now] = await metadata.getHistory('move', key, { before: move + 1, limit: 1 });
    if (now?.number !== move) return;
  }
  const name = parseObjectKey(target);
  const object = name ? toHex(name.digest) : '';
  const scoped = unscopeKey(key);
  const by = `the ref ${utf8Decode(scoped.key)}${move === undefined ? '' : ` (move ${move})`}`;
  const error = storeError('OBJECT_MISSING', `object ${object} is missing: ${by} leads to it`, { details: { object } });
  problems.addError(error, placeIn(store, scoped.namespace));
}
