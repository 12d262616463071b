/** How related entries are found; see `ObjectIndex`. A walk keeps no more than its place: the rows say how to go on. */
import { RELATION_DEPTH_CHECKED } from '../limits.ts';
import type { Database, Reader } from './database.ts';
import type { ObjectIndex, RelatedRow, RelationPlace } from './object-contract.ts';
import type { RelationRow } from './object-rows.ts';
import { rowsDisagree } from './state-errors.ts';
import type { Table } from './table.ts';

type Relations = Table<RelationRow>;

interface Placed {
  readonly row: RelationRow;
  readonly depth: number;
}

async function byNode(reader: Reader, relations: Relations, node: number): Promise<RelationRow> {
  const [found] = await relations.select(reader, 'WHERE node = ?', [node]);
  if (!found) throw rowsDisagree('relations', `a row names node ${node}, which is not there`);
  return found.row;
}

async function childrenAfter(
  reader: Reader,
  relations: Relations,
  place: { readonly parent: number; readonly after: number; readonly limit: number },
): Promise<readonly RelationRow[]> {
  const tail = 'WHERE parent = ? AND parent > 0 AND node > ? ORDER BY node LIMIT ?';
  const found = await relations.select(reader, tail, [place.parent, place.after, place.limit]);
  return found.map(({ row }) => row);
}

async function related(reader: Reader, relations: Relations, rows: readonly Placed[]): Promise<readonly RelatedRow[]> {
  const parents = new Map<number, Uint8Array>();
  for (const { row } of rows) parents.set(row.node, row.key);
  const answer: RelatedRow[] = [];
  for (const { row, depth } of rows) {
    if (row.parent > 0 && !parents.has(row.parent))
      parents.set(row.parent, (await byNode(reader, relations, row.parent)).key);
    const { key, node, children } = row;
    answer.push({ key, parent: parents.get(row.parent), children, place: { node, depth } });
  }
  return answer;
}

/** See `ObjectIndex.getRelations`. */
export function getRelations(
  database: Database,
  relations: Relations,
  keys: readonly Uint8Array[],
): Promise<readonly (RelatedRow | undefined)[]> {
  return database.read(async (reader) => {
    const found = await relations.load(
      reader,
      keys.map((key) => [key]),
    );
    const rows = found.flatMap((one) => (one ? [{ row: one.row, depth: 0 }] : []));
    const answers = (await related(reader, relations, rows)).values();
    return found.map((one) => (one ? answers.next().value : undefined));
  });
}

/** See `ObjectIndex.childrenOf`. */
export function childrenOf(
  database: Database,
  relations: Relations,
  query: Parameters<ObjectIndex['childrenOf']>[1] & { readonly key: Uint8Array },
): Promise<readonly RelatedRow[]> {
  return database.read(async (reader) => {
    const [top] = await relations.load(reader, [[query.key]]);
    if (!top) return [];
    const place = { parent: top.row.node, after: query.after?.node ?? 0, limit: query.limit };
    const rows = await childrenAfter(reader, relations, place);
    return related(
      reader,
      relations,
      rows.map((row) => ({ row, depth: 1 })),
    );
  });
}

/** See `ObjectIndex.ancestorsOf`. */
export function ancestorsOf(
  database: Database,
  relations: Relations,
  query: Parameters<ObjectIndex['ancestorsOf']>[1] & { readonly key: Uint8Array },
): Promise<readonly RelatedRow[]> {
  return database.read(async (reader) => {
    const [start] = await relations.load(reader, [[query.after ?? query.key]]);
    const rows: Placed[] = [];
    const seen = new Set<number>();
    let parent = start?.row.parent ?? 0;
    while (parent > 0 && rows.length < query.limit) {
      const row = await byNode(reader, relations, parent);
      if (seen.has(row.node)) throw rowsDisagree('relations', 'relations lead in a circle');
      seen.add(row.node);
      rows.push({ row, depth: 0 });
      parent = row.parent;
    }
    return related(reader, relations, rows);
  });
}

/** What follows an entry in the walk: its first child, else the next sibling of itself or of the nearest above. */
async function next(reader: Reader, relations: Relations, { row, depth }: Placed): Promise<Placed | undefined> {
  if (row.children > 0) {
    const [first] = await childrenAfter(reader, relations, { parent: row.node, after: 0, limit: 1 });
    if (first) return { row: first, depth: depth + 1 };
  }
  let at: Placed = { row, depth };
  while (at.depth > 0) {
    const [sibling] = await childrenAfter(reader, relations, { parent: at.row.parent, after: at.row.node, limit: 1 });
    if (sibling) return { row: sibling, depth: at.depth };
    if (at.depth === 1) return undefined;
    at = { row: await byNode(reader, relations, at.row.parent), depth: at.depth - 1 };
  }
  return undefined;
}

/** The node so many levels above another one, in one query. */
const ABOVE = `WITH RECURSIVE above (node, parent, depth) AS (
    SELECT node, parent, 0 FROM relations WHERE node = ?
    UNION ALL
    SELECT relations.node, relations.parent, above.depth + 1
    FROM above JOIN relations ON relations.node = above.parent WHERE above.depth < ?
  )
  SELECT node FROM above WHERE depth = ?`;

/** Whether a place still lies so deep beneath the entry: it may have moved, or its node may be another entry's now. */
async function isBeneath(reader: Reader, top: RelationRow, { node, depth }: RelationPlace): Promise<boolean> {
  const [above] = await reader.all(ABOVE, [node, depth, depth]);
  return above?.node === top.node;
}

/**
 * Where a page goes on. Finding out that a very deep place is where it was takes as long as a page: that is left to who
 * walks on beside what lies beneath the place.
 */
async function placed(
  reader: Reader,
  relations: Relations,
  { top, place }: { readonly top: RelationRow; readonly place: RelationPlace },
): Promise<Placed | undefined> {
  if (place.depth <= RELATION_DEPTH_CHECKED && !(await isBeneath(reader, top, place))) return undefined;
  const [found] = await relations.select(reader, 'WHERE node = ?', [place.node]);
  return found && { row: found.row, depth: place.depth };
}

/** See `ObjectIndex.descendantsOf`. */
export function descendantsOf(
  database: Database,
  relations: Relations,
  query: Parameters<ObjectIndex['descendantsOf']>[1] & { readonly key: Uint8Array },
): Promise<readonly RelatedRow[]> {
  return database.read(async (reader) => {
    const [top] = await relations.load(reader, [[query.key]]);
    if (!top) return [];
    const rows: Placed[] = [];
    const { after: place = { node: top.row.node, depth: 0 } } = query;
    let at = await placed(reader, relations, { top: top.row, place });
    let isChecked = place.depth <= RELATION_DEPTH_CHECKED;
    while (at && rows.length < query.limit) {
      at = await next(reader, relations, at);
      if (!at) break;
      if (!isChecked && at.depth <= place.depth) {
        if (!(await isBeneath(reader, top.row, place))) break;
        isChecked = true;
      }
      rows.push(at);
    }
    return related(reader, relations, rows);
  });
}
