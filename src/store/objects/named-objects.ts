import { toHex } from '../../bytes/bytes.ts';
import { parseObjectKey } from '../../format/index.ts';
import type { ObjectReference } from '../../objects/index.ts';
import { referenceOfRow } from './find-object.ts';
import type { RefReferrer } from './object-types.ts';
import { eachMove, eachRef, type RefsOf, refName } from './ref-rows.ts';

/** An object that a ref names, or named after one of its moves. */
export interface NamedObject {
  /** `undefined`: there is no such object. */
  readonly reference: ObjectReference | undefined;
  readonly id: string;
  readonly by: RefReferrer;
}

const PAGE = 256;

interface NamedTarget {
  readonly target: Uint8Array;
  readonly by: RefReferrer;
}

/** What refs keep alive: what they name now, then what their histories say they named. */
export async function* namedObjects(of: RefsOf): AsyncGenerator<NamedObject, void, undefined> {
  let page: NamedTarget[] = [];
  for await (const named of namedTargets(of)) {
    page.push(named);
    if (page.length < PAGE) continue;
    yield* await lookUp(of, page);
    page = [];
  }
  yield* await lookUp(of, page);
}

async function* namedTargets(of: RefsOf): AsyncGenerator<NamedTarget, void, undefined> {
  for await (const { name, target } of eachRef(of)) yield { target, by: { type: 'ref', name } };
  let after: Uint8Array | undefined;
  do {
    const query = { namespace: of.scope.namespace, limit: PAGE, ...(after && { after }) };
    const { keys, next } = await of.engine.metadata.listHistories('move', query);
    for (const key of keys) {
      const name = refName({ key });
      for await (const { number, to } of eachMove(of, name))
        if (to) yield { target: to, by: { type: 'ref', name, number } };
    }
    after = next;
  } while (after);
}

async function lookUp({ engine }: RefsOf, page: readonly NamedTarget[]): Promise<readonly NamedObject[]> {
  const rows = await engine.metadata.getObjects(page.map(({ target }) => target));
  return page.map(({ target, by }, index) => {
    const row = rows[index];
    const name = parseObjectKey(target);
    return { reference: row && referenceOfRow(row), id: name ? toHex(name.digest) : '', by };
  });
}
