import { equalBytes } from '../bytes/bytes.ts';
import type { Transaction } from './database.ts';
import type { RelationRow } from './object-rows.ts';
import type { RowSet } from './row-set.ts';

const NO_PARENT = 0;

function addHint(hints: Map<number, Uint8Array[]>, node: number, key: Uint8Array): void {
  const keys = hints.get(node);
  if (!keys) hints.set(node, [key]);
  else if (!equalBytes(keys.at(-1) ?? key, key)) keys.push(key);
}

/**
 * The rows of relations that one transaction works on, by key, by node and by parent: what it changed is found like what
 * was there before. A row without parent and children is not kept.
 */
export class RelationRows {
  readonly #set: RowSet<RelationRow>;
  readonly #transaction: Transaction;
  /**
   * Where this transaction put nodes and children, the latest last. Nothing is taken out when a request is undone or
   * a row changes again: every hint is held against the row, and an older one may be the one that counts.
   */
  readonly #keysOfNode = new Map<number, Uint8Array[]>();
  readonly #putBeneath = new Map<number, Uint8Array[]>();
  #lastNode: number | undefined;

  constructor(set: RowSet<RelationRow>, transaction: Transaction) {
    this.#set = set;
    this.#transaction = transaction;
  }

  async get(key: Uint8Array): Promise<RelationRow | undefined> {
    await this.#set.load(this.#transaction, [[key]]);
    return this.#set.get([key]);
  }

  async byNode(node: number): Promise<RelationRow | undefined> {
    for (const key of (this.#keysOfNode.get(node) ?? []).toReversed()) {
      const here = await this.get(key);
      if (here?.node === node) return here;
    }
    const [found] = await this.#set.loadWhere(this.#transaction, 'WHERE node = ?', [node]);
    return found?.node === node ? found : undefined;
  }

  /** All that have this node as their parent. */
  async beneath(node: number): Promise<readonly RelationRow[]> {
    const found = new Map<number, RelationRow>();
    const where = 'WHERE parent = ? AND parent > 0';
    for (const row of await this.#set.loadWhere(this.#transaction, where, [node]))
      if (row.parent === node) found.set(row.node, row);
    for (const key of this.#putBeneath.get(node) ?? []) {
      const row = await this.get(key);
      if (row?.parent === node) found.set(row.node, row);
    }
    return [...found.values()];
  }

  /** Its key must have been asked for before. */
  put(row: RelationRow): void {
    if (row.parent === NO_PARENT && row.children === 0) {
      this.#set.remove([row.key]);
      return;
    }
    this.#set.put(row);
    addHint(this.#keysOfNode, row.node, row.key);
    if (row.parent !== NO_PARENT) addHint(this.#putBeneath, row.parent, row.key);
  }

  remove(key: Uint8Array): void {
    this.#set.remove([key]);
  }

  /** A row for an entry that has none yet, with a node of its own. */
  async create(key: Uint8Array): Promise<RelationRow> {
    if (this.#lastNode === undefined) {
      const [found] = await this.#transaction.all('SELECT max(node) AS last FROM relations', []);
      this.#lastNode = typeof found?.last === 'number' ? found.last : 0;
    }
    this.#lastNode += 1;
    return { key, node: this.#lastNode, parent: NO_PARENT, children: 0 };
  }

  /** After the rows were written: what was changed is found in the database now. */
  forgetChanges(): void {
    this.#keysOfNode.clear();
    this.#putBeneath.clear();
  }
}
