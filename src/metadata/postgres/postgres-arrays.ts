/**
 * Many values as one parameter: arrays in the binary format of PostgreSQL, as `array_recv` of its sources reads them. As text,
 * which the client would make of them, bytes take twice their room and most of the time of both sides.
 */
import type { SqlParameters, SqlValue } from '../database.ts';

interface Kind {
  readonly type: string;
  /** Number of the type of its elements, which is fixed in every server. */
  readonly element: number;
  holds(value: SqlValue): boolean;
  encode(value: SqlValue): Uint8Array;
}

const KINDS: readonly Kind[] = [
  {
    ...{ type: 'bytea[]', element: 17 },
    holds: (value) => value instanceof Uint8Array,
    encode: (value) => value as Uint8Array,
  },
  {
    ...{ type: 'bigint[]', element: 20 },
    holds: (value) => typeof value === 'number' || typeof value === 'bigint',
    encode: (value) => {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigInt64BE(BigInt(value as number | bigint));
      return bytes;
    },
  },
  {
    ...{ type: 'text[]', element: 25 },
    holds: (value) => typeof value === 'string',
    encode: (value) => Buffer.from(value as string),
  },
];

/** Dimensions, whether there are nulls, type of the elements, how many they are, and the number of the first. */
const HEAD_BYTES = 20;
const NULL_LENGTH = -1;

/** Sets of parameters, column by column. */
export interface ParameterArrays {
  /** Of the arrays; `undefined` for a column of nulls, which has no type and no array. */
  readonly types: readonly (string | undefined)[];
  readonly values: readonly Buffer[];
}

/**
 * @returns `undefined` for fewer than two sets, which are not worth it, where the values of a column are of several kinds, and where
 *   nothing but nulls is left
 */
export function arraysOf(sets: readonly SqlParameters[]): ParameterArrays | undefined {
  const [first] = sets;
  if (first === undefined || sets.length < 2) return undefined;
  const [types, values]: [(string | undefined)[], Buffer[]] = [[], []];
  for (const index of first.keys()) {
    const column = sets.map((set) => set[index] ?? null);
    const kind = KINDS.find(({ holds }) => column.every((value) => value === null || holds(value)));
    if (kind === undefined) return undefined;
    const isEmpty = column.every((value) => value === null);
    types.push(isEmpty ? undefined : kind.type);
    if (!isEmpty) values.push(encodeArray(kind, column));
  }
  return values.length > 0 ? { types, values } : undefined;
}

function encodeArray(kind: Kind, column: readonly SqlValue[]): Buffer {
  const elements = column.map((value) => (value === null ? undefined : kind.encode(value)));
  const bytes = Buffer.allocUnsafe(elements.reduce((sum, one) => sum + 4 + (one?.length ?? 0), HEAD_BYTES));
  const head = [1, Number(column.includes(null)), kind.element, column.length, 1];
  let end = 0;
  for (const word of head) end = bytes.writeInt32BE(word, end);
  for (const element of elements) {
    end = bytes.writeInt32BE(element?.length ?? NULL_LENGTH, end);
    if (element === undefined) continue;
    bytes.set(element, end);
    end += element.length;
  }
  return bytes;
}
