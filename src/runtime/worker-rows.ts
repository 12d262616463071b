/**
 * Many rows of one shape as columns, as they cross between threads: structured cloning writes the names of all fields
 * of every row, and takes ten times as long for a byte array as for the bytes in it.
 */

/** Fewer rows cross as they are. */
const ROWS_MIN = 16;
/** Whoever keeps one byte array of a column keeps a buffer of this size, or of its own where it is larger. */
const BUFFER_BYTES = 4096;

type Row = Record<string, unknown>;

/** One field of all rows: the same in each, or numbers, or byte arrays one behind the other, or anything. */
type Column =
  | { readonly same: unknown }
  | { readonly numbers: Float64Array }
  | { readonly bytes: Uint8Array; readonly lengths: Uint32Array }
  | { readonly values: unknown[] };

/** Rows with the same fields in the same order. */
interface Columns {
  readonly count: number;
  readonly names: readonly string[];
  readonly columns: readonly Column[];
}

/** Stands for an array in a message. No other object that crosses has such a field. */
export interface PackedRows {
  readonly '#rows': readonly (Columns | { readonly others: unknown[] })[];
}

function hasNames(row: object, names: readonly string[]): boolean {
  const own = Object.keys(row);
  return own.length === names.length && own.every((name, index) => name === names[index]);
}

function columnOf(rows: readonly Row[], name: string, pack: (value: unknown) => unknown): Column {
  const first = rows[0]?.[name];
  if (rows.every((row) => row[name] === first)) return { same: pack(first) };
  if (rows.every((row) => typeof row[name] === 'number'))
    return { numbers: Float64Array.from(rows, (row) => row[name] as number) };
  if (rows.every((row) => row[name] instanceof Uint8Array)) {
    const lengths = Uint32Array.from(rows, (row) => (row[name] as Uint8Array).length);
    const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
    let end = 0;
    for (const row of rows) {
      bytes.set(row[name] as Uint8Array, end);
      end += (row[name] as Uint8Array).length;
    }
    return { bytes, lengths };
  }
  return { values: rows.map((row) => pack(row[name])) };
}

/**
 * An array as it crosses; `undefined` where it crosses as well as it is.
 * @param isRow whether a value is a plain object
 * @param pack what becomes of a value inside
 */
export function packRows(
  values: readonly unknown[],
  isRow: (value: unknown) => value is Row,
  pack: (value: unknown) => unknown,
): PackedRows | undefined {
  if (values.length < ROWS_MIN || !isRow(values[0])) return undefined;
  const parts: (Columns | { others: unknown[] })[] = [];
  let others: unknown[] = [];
  for (let start = 0; start < values.length; ) {
    const first = values[start];
    const names = isRow(first) ? Object.keys(first) : [];
    let end = start + 1;
    while (isRow(first) && end < values.length && isRow(values[end]) && hasNames(values[end] as Row, names)) end += 1;
    if (end - start < ROWS_MIN) {
      for (const value of values.slice(start, end)) others.push(pack(value));
    } else {
      if (others.length > 0) parts.push({ others });
      others = [];
      const rows = values.slice(start, end) as readonly Row[];
      parts.push({ count: rows.length, names, columns: names.map((name) => columnOf(rows, name, pack)) });
    }
    start = end;
  }
  if (parts.length === 0) return undefined;
  if (others.length > 0) parts.push({ others });
  return { '#rows': parts };
}

export function isPackedRows(value: object): value is PackedRows {
  return '#rows' in value;
}

/** Byte arrays that lie one behind the other, in buffers of a few each. */
function* splitBytes(bytes: Uint8Array, lengths: Uint32Array): Generator<Uint8Array> {
  let buffer = new Uint8Array(0);
  let used = 0;
  let start = 0;
  for (const length of lengths) {
    if (used + length > buffer.length) {
      buffer = bytes.slice(start, start + Math.max(length, BUFFER_BYTES));
      used = 0;
    }
    yield buffer.subarray(used, used + length);
    used += length;
    start += length;
  }
}

function fill(rows: readonly Row[], name: string, values: Iterable<unknown>): void {
  let index = 0;
  for (const value of values) (rows[index++] as Row)[name] = value;
}

/** @param unpack what becomes of a value inside */
export function unpackRows({ '#rows': parts }: PackedRows, unpack: (value: unknown) => unknown): unknown[] {
  const all: unknown[] = [];
  for (const part of parts) {
    if ('others' in part) {
      for (const value of part.others) all.push(unpack(value));
      continue;
    }
    const rows = Array.from({ length: part.count }, (): Row => ({}));
    for (const [index, column] of part.columns.entries()) {
      const name = part.names[index] as string;
      if ('same' in column) {
        const same = unpack(column.same);
        for (const row of rows) row[name] = same;
      } else if ('numbers' in column) fill(rows, name, column.numbers);
      else if ('bytes' in column) fill(rows, name, splitBytes(column.bytes, column.lengths));
      else fill(rows, name, column.values.map(unpack));
    }
    for (const row of rows) all.push(row);
  }
  return all;
}
