/**
 * The rows of a sealed store. Beside what queries need, a row is one column `sealed`, which is bound to its table, its
 * key and its clear columns: it opens nowhere else and with nothing else beside it.
 *
 * What this does not find by itself: an older row put back in its own place. Its digest is another one, and the sum of
 * its table tells (`check`).
 */
import { invariant, isStoreError } from '../errors/store-error.ts';
import type { SqlRow, SqlValue } from './database.ts';
import { type DecodedRow, forms, nullsAtEnd, type RowCodec, type RowForm, withoutNulls } from './row-codec.ts';
import { frameColumns, frameValues } from './row-digest.ts';
import { type RowSealer, SEALED_DIGEST_BYTES } from './row-sealer.ts';
import { decodeValues, encodeValues } from './sealed-values.ts';
import type { TableShape } from './table.ts';

const LOOKUP = 'lookup';
/** Holds `epoch ‖ envelope` in every table of a sealed store. */
export const SEALED_COLUMN = 'sealed';
/** Numbers take as many bytes as they need: padded, rows of one table have nearly all the same length. */
const ROW_PAD_BYTES = 16;

/** Which columns of a table lie where, and where their values stand among those of a row. */
interface Layout {
  readonly keyColumns: readonly string[];
  readonly clear: readonly string[];
  readonly local: readonly string[];
  readonly hidden: readonly string[];
  /** Of `clear` and of `hidden`, the last ones: see `TableShape.laterColumns`. */
  readonly laterClear: readonly string[];
  readonly laterHidden: readonly string[];
  /** Places of `clear`, `local` and `hidden` in what the shape encodes. */
  readonly clearAt: readonly number[];
  readonly localAt: readonly number[];
  readonly hiddenAt: readonly number[];
}

function layoutOf<Row>(shape: TableShape<Row>): Layout {
  const { keyColumns, valueColumns, localColumns: local = [], sealedColumns = [], clearColumns = [] } = shape;
  const { laterColumns = [] } = shape;
  const all = [...keyColumns, ...valueColumns, ...local, ...sealedColumns];
  const isClear = (column: string): boolean => clearColumns.includes(column);
  const isHidden = (column: string): boolean => !isClear(column);
  const values = [...valueColumns, ...sealedColumns].filter((column) => !laterColumns.includes(column));
  const [laterClear, laterHidden] = [laterColumns.filter(isClear), laterColumns.filter(isHidden)];
  const clear = [...values.filter(isClear), ...laterClear];
  const hidden = [...(shape.hiddenKey ? keyColumns : []), ...values.filter(isHidden), ...laterHidden];
  const placesOf = (columns: readonly string[]): readonly number[] => columns.map((column) => all.indexOf(column));
  return {
    ...{ keyColumns: shape.hiddenKey ? [LOOKUP] : keyColumns, clear, local, hidden, laterClear, laterHidden },
    ...{ clearAt: placesOf(clear), localAt: placesOf(local), hiddenAt: placesOf(hidden) },
  };
}

function pick(values: readonly SqlValue[], places: readonly number[]): SqlValue[] {
  return places.map((place) => values[place] ?? null);
}

/** A class, since an accessor in an object literal costs as much as the rest of opening a row. */
class OpenedRow {
  readonly values: SqlRow;
  readonly problem = undefined;
  readonly #sealed: Uint8Array;
  readonly #sealer: RowSealer;

  constructor(values: SqlRow, sealed: Uint8Array, sealer: RowSealer) {
    this.values = values;
    this.#sealed = sealed;
    this.#sealer = sealer;
  }

  /** Made when it is asked for: most rows are only read, and their digest costs as much as opening them. */
  get digest(): Uint8Array {
    return this.#sealer.digestOf(this.#sealed);
  }
}

/** The form of one table. */
class SealedForm implements RowForm {
  readonly keyColumns: readonly string[];
  readonly columns: readonly string[];
  readonly #name: string;
  readonly #keys: number;
  readonly #padBytes: number;
  readonly #bound: readonly string[];
  /** `#bound` without the last 0, 1, ... of the later columns. */
  readonly #boundForms: readonly (readonly string[])[];
  /** Columns that are read as they lie there. */
  readonly #open: readonly string[];
  readonly #layout: Layout;
  readonly #sealer: RowSealer;

  constructor(shape: Omit<TableShape<never>, 'encode' | 'decode'>, layout: Layout, sealer: RowSealer) {
    this.keyColumns = layout.keyColumns;
    this.#bound = [...layout.keyColumns, ...layout.clear];
    this.#boundForms = forms(this.#bound, layout.laterClear.length);
    this.#open = [...this.#bound, ...layout.local];
    this.columns = [...this.#open, SEALED_COLUMN];
    this.#name = shape.name;
    this.#keys = shape.keyColumns.length;
    this.#padBytes = shape.padBytes ?? ROW_PAD_BYTES;
    this.#layout = layout;
    this.#sealer = sealer;
  }

  storedKey(key: readonly SqlValue[]): readonly SqlValue[] {
    if (this.keyColumns[0] !== LOOKUP) return key;
    const [hidden, ...more] = key;
    invariant(hidden instanceof Uint8Array && more.length === 0, 'a hidden key is one byte string');
    return [this.#sealer.lookup(hidden)];
  }

  encode(values: readonly SqlValue[]): { readonly stored: readonly SqlValue[]; readonly digest: Uint8Array } {
    const { clearAt, localAt, hiddenAt, laterClear, laterHidden } = this.#layout;
    const bound = [...this.storedKey(values.slice(0, this.#keys)), ...pick(values, clearAt)];
    const plain = encodeValues(withoutNulls(pick(values, hiddenAt), laterHidden.length), this.#padBytes);
    const sealed = this.#sealer.seal(plain, frameValues(this.#name, withoutNulls(bound, laterClear.length)));
    return { stored: [...bound, ...pick(values, localAt), sealed], digest: this.#sealer.digestOf(sealed) };
  }

  decode(row: SqlRow): DecodedRow {
    const { [SEALED_COLUMN]: sealed } = row;
    if (!(sealed instanceof Uint8Array)) return { problem: 'is not sealed' };
    const { hidden, laterHidden, laterClear } = this.#layout;
    const bound = this.#boundForms[nullsAtEnd(row, laterClear)] ?? this.#bound;
    let plain: Uint8Array | undefined;
    try {
      plain = this.#sealer.open(sealed, frameColumns(this.#name, row, bound));
    } catch (cause) {
      if (!isStoreError(cause, 'EPOCH_UNKNOWN')) throw cause;
      return { problem: 'is sealed in an unknown key epoch', cause };
    }
    const opened = plain && decodeValues(plain, hidden.length, hidden.length - laterHidden.length);
    if (!opened) return { problem: 'does not open' };
    // One by one and in one order, so that all rows have one hidden class; spreading a row of SQLite is ten times
    // slower.
    const values: Record<string, SqlValue> = {};
    for (const column of this.#open) values[column] = row[column] ?? null;
    for (let index = 0; index < hidden.length; index += 1) values[hidden[index] as string] = opened[index] ?? null;
    return new OpenedRow(values, sealed, this.#sealer);
  }
}

/** The codec of a sealed store; its sealer must have keys before a row is written or read. */
export function createSealedCodec(sealer: RowSealer): RowCodec {
  return {
    digestBytes: SEALED_DIGEST_BYTES,
    formOf: (shape) => new SealedForm(shape, layoutOf(shape), sealer),
  };
}
