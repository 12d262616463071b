/**
 * The tables of a sealed entry index. They are only ever looked up by number, so everything else of a row is sealed.
 */
import { BinaryReader } from '../../bytes/binary-reader.ts';
import { BinaryWriter } from '../../bytes/binary-writer.ts';
import { EMPTY_BYTES } from '../../bytes/bytes.ts';
import { storeError } from '../../errors/store-error.ts';
import type { RowCodec } from '../row-codec.ts';
import { Table, type TableShape } from '../table.ts';
import type { EntryOrder, EntryPlace } from './order-items.ts';
import { decodeNode, encodeNode, type TreeNode } from './tree-node.ts';

/** One node of one of the trees; its number is never used again. */
export interface NodeRow extends TreeNode {
  readonly number: number;
}

/** What became of one entry: where it stood and stands in the orders. At least one of the two is there. */
export interface LoggedChange {
  readonly key: Uint8Array;
  readonly before: Omit<EntryPlace, 'key'> | undefined;
  readonly after: Omit<EntryPlace, 'key'> | undefined;
}

export interface LogRow {
  /** Rises by one from row to row. */
  readonly number: number;
  readonly changes: readonly LoggedChange[];
}

/** The one row that says where everything begins. */
export interface RootsRow {
  /** Root node of each tree, 0 when it is empty. */
  readonly roots: Readonly<Record<EntryOrder, number>>;
  readonly nextNode: number;
  /** Rows of the log: half-open range of numbers, and the changes in them together. */
  readonly logFirst: number;
  readonly logEnd: number;
  readonly logChanges: number;
  /** The fold under way. */
  readonly fold: FoldProgress;
}

/**
 * How far a fold came. It makes the changes of the rows from `logFirst` to `end` in one tree after the other, item by
 * item, and then removes the rows. Whoever reads lays the log over the trees all the while, so it does not matter which
 * of its changes a tree has already; and any process can take a step, because all that there is to know is here.
 */
export interface FoldProgress {
  /** Equal to `logFirst` when there is no fold under way. */
  readonly end: number;
  /** Trees that are done. */
  readonly trees: number;
  /** In the next tree, items below this one are done. */
  readonly from: Uint8Array;
}

/** The tables behind a sealed index. */
export interface NamesTables {
  readonly nodes: Table<NodeRow>;
  readonly log: Table<LogRow>;
  readonly roots: Table<RootsRow>;
}

export const NAMES_NODES = 'names_nodes';
export const NAMES_LOG = 'names_log';
export const NAMES_ROOTS = 'names_roots';

/** Primary key of the one row of roots. */
export const ROOTS_KEY = [1] as const;

export const EMPTY_ROOTS: RootsRow = {
  roots: { key: 0, modified: 0, size: 0 },
  nextNode: 1,
  logFirst: 1,
  logEnd: 1,
  logChanges: 0,
  fold: { end: 1, trees: 0, from: EMPTY_BYTES },
};

const NODE_PAD_BYTES = 1024;
const LOG_PAD_BYTES = 128;

const nodesShape: TableShape<NodeRow> = {
  name: NAMES_NODES,
  keyColumns: ['number'],
  valueColumns: ['node'],
  padBytes: NODE_PAD_BYTES,
  encode: (row) => [row.number, encodeNode(row)],
  keyOf: ({ number }) => [number],
  decode: (columns) => ({ number: columns.integer('number'), ...decodeNode(columns.bytes('node')) }),
};

const HAS_BEFORE = 1;
const HAS_AFTER = 2;
const CHANGE_HEAD_BYTES = 3;
const PLACE_BYTES = 16;

function encodeChanges(changes: readonly LoggedChange[]): Uint8Array {
  let length = 0;
  for (const { key, before, after } of changes) {
    length += CHANGE_HEAD_BYTES + key.length + PLACE_BYTES * (Number(!!before) + Number(!!after));
  }
  const writer = new BinaryWriter(length);
  for (const { key, before, after } of changes) {
    writer.u8((before ? HAS_BEFORE : 0) | (after ? HAS_AFTER : 0));
    writer.u16(key.length).put(key);
    for (const place of [before, after]) if (place) writer.u64(place.modified).u64(place.size);
  }
  return writer.bytes;
}

function decodeChanges(bytes: Uint8Array): readonly LoggedChange[] {
  const reader = new BinaryReader(bytes, (what) => {
    throw storeError('METADATA_CORRUPT', `metadata table ${NAMES_LOG}: a list of changes ${what}`, {
      details: { table: NAMES_LOG },
    });
  });
  const changes: LoggedChange[] = [];
  const place = () => ({ modified: reader.u64(), size: reader.u64() });
  while (reader.remaining > 0) {
    const flags = reader.u8();
    const key = reader.bytes(reader.u16());
    const before = flags & HAS_BEFORE ? place() : undefined;
    const after = flags & HAS_AFTER ? place() : undefined;
    changes.push({ key, before, after });
  }
  return changes;
}

const logShape: TableShape<LogRow> = {
  name: NAMES_LOG,
  keyColumns: ['number'],
  valueColumns: ['changes'],
  padBytes: LOG_PAD_BYTES,
  encode: (row) => [row.number, encodeChanges(row.changes)],
  keyOf: ({ number }) => [number],
  decode: (columns) => ({ number: columns.integer('number'), changes: decodeChanges(columns.bytes('changes')) }),
};

const rootsShape: TableShape<RootsRow> = {
  name: NAMES_ROOTS,
  keyColumns: ['id'],
  valueColumns: [
    ...['by_key', 'by_modified', 'by_size', 'next_node', 'log_first', 'log_end', 'log_changes'],
    ...['fold_end', 'fold_trees', 'fold_from'],
  ],
  encode: ({ roots, nextNode, logFirst, logEnd, logChanges, fold }) => [
    ...[...ROOTS_KEY, roots.key, roots.modified, roots.size, nextNode, logFirst, logEnd, logChanges],
    ...[fold.end, fold.trees, fold.from],
  ],
  decode: (columns) => ({
    roots: {
      key: columns.integer('by_key'),
      modified: columns.integer('by_modified'),
      size: columns.integer('by_size'),
    },
    nextNode: columns.integer('next_node'),
    logFirst: columns.integer('log_first'),
    logEnd: columns.integer('log_end'),
    logChanges: columns.integer('log_changes'),
    fold: {
      end: columns.integer('fold_end'),
      trees: columns.integer('fold_trees'),
      from: columns.bytes('fold_from'),
    },
  }),
};

export function createNamesTables(codec: RowCodec): NamesTables {
  return {
    nodes: new Table(nodesShape, codec),
    log: new Table(logShape, codec),
    roots: new Table(rootsShape, codec),
  };
}
