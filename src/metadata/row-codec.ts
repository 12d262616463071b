/**
 * How the rows of a table lie in the database. In a plain store: every column as it is, and a short digest after them.
 * In a sealed store: what queries need in the clear, the rest in one sealed column (`sealed-codec.ts`).
 */
import { equalBytes } from '../bytes/bytes.ts';
import type { SqlParameters, SqlRow, SqlValue } from './database.ts';
import { digestColumns, digestValues, ROW_DIGEST_BYTES } from './row-digest.ts';
import type { TableShape } from './table.ts';

/** A row as it is written, with what it adds to the sum of its table. */
export interface EncodedRow {
  /** Values in the order of `RowForm.columns`. */
  readonly stored: readonly SqlValue[];
  readonly digest: Uint8Array;
}

/** A row as it was read, by the columns of its shape; or what is wrong with it. */
export type DecodedRow =
  | { readonly values: SqlRow; readonly digest: Uint8Array; readonly problem?: undefined }
  | { readonly problem: string; readonly cause?: unknown };

/** The rows of one table as they are stored. */
export interface RowForm {
  /** The primary key, a part of `columns`. */
  readonly keyColumns: readonly string[];
  /** What every query reads and every row fills: the primary key first. */
  readonly columns: readonly string[];
  /** The stored primary key of the row with these values in the key columns of the shape. */
  storedKey(key: SqlParameters): SqlParameters;
  /** @param values as `TableShape.encode` gives them */
  encode(values: readonly SqlValue[]): EncodedRow;
  decode(row: SqlRow): DecodedRow;
}

export interface RowCodec {
  /** Of the digests of rows. */
  readonly digestBytes: number;
  formOf<Row>(shape: TableShape<Row>): RowForm;
}

/** Values without the NULLs at their end, of which at most `laterCount` are left out. */
export function withoutNulls(values: readonly SqlValue[], laterCount: number): readonly SqlValue[] {
  let end = values.length;
  while (end > values.length - laterCount && values[end - 1] === null) end -= 1;
  return end === values.length ? values : values.slice(0, end);
}

/** How many of the later columns of a row as read are NULL, from the last one on. */
export function nullsAtEnd(row: SqlRow, laterColumns: readonly string[]): number {
  let nulls = 0;
  while (nulls < laterColumns.length && (row[laterColumns[laterColumns.length - 1 - nulls] as string] ?? null) === null)
    nulls += 1;
  return nulls;
}

/** Columns without the last 0, 1, 2, ... of them. */
export function forms(columns: readonly string[], laterCount: number): readonly (readonly string[])[] {
  return Array.from({ length: laterCount + 1 }, (_, left) => columns.slice(0, columns.length - left));
}

/** Against accident, not against an attacker, who could compute the digests too. */
export const plainCodec: RowCodec = {
  digestBytes: ROW_DIGEST_BYTES,
  formOf: ({ name, keyColumns, valueColumns, localColumns = [], laterColumns = [] }) => {
    const digested = [...keyColumns, ...valueColumns];
    const counted = forms(digested, laterColumns.length);
    const width = digested.length + localColumns.length;
    return {
      keyColumns,
      columns: [...digested, ...localColumns, 'digest'],
      storedKey: (key) => key,
      encode: (values) => {
        const all = values.slice(0, digested.length);
        const digest = digestValues(name, withoutNulls(all, laterColumns.length));
        return { stored: [...values.slice(0, width), digest], digest };
      },
      decode: (row) => {
        const { digest } = row;
        const sound =
          digest instanceof Uint8Array &&
          digest.length === ROW_DIGEST_BYTES &&
          equalBytes(digest, digestColumns(name, row, counted[nullsAtEnd(row, laterColumns)] ?? digested));
        return sound ? { values: row, digest } : { problem: 'does not match its digest' };
      },
    };
  },
};
