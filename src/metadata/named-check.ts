import { BinaryWriter } from '../bytes/binary-writer.ts';
import { toHex } from '../bytes/bytes.ts';
import { isStoreError } from '../errors/store-error.ts';
import { blake3 } from '../hash/index.ts';
import type { MetadataInvariant, MetadataProblem } from './contract.ts';
import type { Reader } from './database.ts';
import { placeOfStep } from './history-steps.ts';
import type { HistoryRow, RelationRow, StepRow } from './object-rows.ts';
import type { Table } from './table.ts';
import { scanTable } from './table-scan.ts';
import type { Tables } from './tables.ts';

function digestOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(blake3(bytes))}`);
}

function nodeDigest(node: number): bigint {
  return digestOf(new BinaryWriter(8).u64(node).bytes);
}

/** How many rows of a table name a row of another one that is not there. */
async function countAstray<Row>(
  reader: Reader,
  table: Table<Row>,
  { target, keyOf }: { readonly target: Table<unknown>; readonly keyOf: (row: Row) => Uint8Array },
): Promise<number> {
  let astray = 0;
  for await (const page of scanTable(reader, table)) {
    const keys = page.flatMap((stored) => {
      const row = table.inspect(stored);
      return isStoreError(row) ? [] : [[keyOf(row.row)]];
    });
    for (const found of await target.find(reader, keys)) if (!found) astray += 1;
  }
  return astray;
}

/**
 * Compares histories with their steps, refs with objects, and relations with each other and with entries. What must be
 * equal in number is compared as a sum of digests, so that memory does not grow with the rows.
 */
export class NamedCheck {
  #steps = 0n;
  #edges = 0n;

  addHistory({ key, steps }: HistoryRow): void {
    this.#steps += digestOf(key) * BigInt(steps);
  }

  addStep(row: StepRow): void {
    this.#steps -= digestOf(placeOfStep(row).history);
  }

  addRelation({ node, parent, children }: RelationRow): void {
    this.#edges += nodeDigest(node) * BigInt(children);
    if (parent > 0) this.#edges -= nodeDigest(parent);
  }

  /** After the last row, with a reader that sees the same state. @returns problems in words, without names */
  async finish(reader: Reader, { refs, objects, relations, entries }: Tables): Promise<readonly MetadataProblem[]> {
    const problems: MetadataProblem[] = [];
    const tell = (invariant: MetadataInvariant, message: string): void => void problems.push({ invariant, message });
    if (this.#steps !== 0n) tell('histories-count', 'histories count other steps than there are');
    if (this.#edges !== 0n) tell('relations-resolve', 'relations count other children than there are');
    const [nodes] = await reader.all('SELECT count(*) AS held, count(DISTINCT node) AS named FROM relations', []);
    if (nodes?.held !== nodes?.named) tell('relations-resolve', 'relations share nodes');
    const lost = await countAstray(reader, refs, { target: objects, keyOf: ({ target }) => target });
    if (lost > 0) tell('refs-resolve', `${lost} refs lead to objects that are not there`);
    const astray = await countAstray(reader, relations, { target: entries, keyOf: ({ key }) => key });
    if (astray > 0) tell('relations-resolve', `${astray} relations are of entries that are not there`);
    return problems;
  }
}
