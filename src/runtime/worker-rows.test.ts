import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from './worker-wire.ts';

/** What the other thread gets. */
function crossed(value: unknown): unknown {
  return unpack(structuredClone(pack(value)));
}

const cell = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.double(),
  fc.constantFrom(undefined, null, true, 'text', 5n),
  fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 2 }),
  fc.record({ inner: fc.nat() }),
);

describe('rows that cross between threads', () => {
  it('come over as they are, whatever is in them and beside them', () => {
    const column = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.oneof(fc.uint8Array(), fc.nat(), cell),
      fc.boolean(),
    );
    const run = fc.tuple(fc.array(column, { maxLength: 4 }), fc.integer({ min: 0, max: 40 }), fc.infiniteStream(cell));
    fc.assert(
      fc.property(fc.array(fc.oneof(run, cell), { maxLength: 5 }), (parts) => {
        const values = parts.flatMap((part): unknown[] => {
          if (!Array.isArray(part) || part.length !== 3 || typeof part[1] !== 'number') return [part];
          const [columns, count, cells] = part as [[string, unknown, boolean][], number, Iterable<unknown>];
          const other = cells[Symbol.iterator]();
          const row = () => columns.map(([name, same, varies]) => [name, varies ? other.next().value : same]);
          return Array.from({ length: count }, () => Object.fromEntries(row()) as unknown);
        });
        expect(crossed({ values, within: [values] })).toEqual({ values, within: [values] });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('of one shape take no name and no buffer each', () => {
    const rows = Array.from({ length: 1000 }, (_, at) => ({
      id: new Uint8Array(32).fill(at),
      kind: 'chunk',
      length: at,
    }));
    const [part] = (pack(rows).value as { '#rows': { names: string[]; columns: object[] }[] })['#rows'];
    expect(part?.names).toEqual(['id', 'kind', 'length']);
    expect(part?.columns.map((column) => Object.keys(column).join())).toEqual(['bytes,lengths', 'same', 'numbers']);
    const back = crossed(rows) as typeof rows;
    expect(back).toEqual(rows);
    expect(new Set(back.map(({ id }) => id.buffer)).size).toBeLessThan(10);
  });

  it('share what they shared, and few stay as they are', () => {
    const shared = { pack: new Uint8Array([1, 2]) };
    const rows = Array.from({ length: 20 }, (_, at) => ({ at, of: at % 2 === 0 ? shared : undefined }));
    const back = crossed({ rows, shared }) as { rows: { of: object | undefined }[]; shared: object };
    expect(back.rows[4]?.of).toBe(back.shared);
    expect(pack([{ a: 1 }]).hasRows).toBe(false);
    expect(crossed([{ a: 1 }])).toEqual([{ a: 1 }]);
  });
});
