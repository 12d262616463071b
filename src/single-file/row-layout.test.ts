import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOB_BYTES_MAX, KIB, MIB } from '../limits.ts';
import { ROW_HEADER_BYTES } from './row-header.ts';
import { bytesInPages, layRows, pagesOf, piecesOf, rowContentBytes, rowId } from './row-layout.ts';
import { rowShape } from './row-shape.ts';

const PAGE_SIZES = [512, 4 * KIB, 8 * KIB, 64 * KIB];
const geometry = fc.record({ pageBytes: fc.constantFrom(...PAGE_SIZES), rowPages: fc.integer({ min: 1, max: 300 }) });
const sizes = fc.oneof(fc.integer({ min: 0, max: 3 * MIB }), fc.constantFrom(0, 1, BLOB_BYTES_MAX));

describe('the shape of a row', () => {
  it('fills its pages exactly, by the arithmetic of the file format', () => {
    for (const pageBytes of PAGE_SIZES) {
      for (let pages = 1; pages < 3000; pages += 1) {
        const { dataBytes, start } = rowShape(pageBytes, pages);
        const typeOfData = 2 * dataBytes + 12;
        const typeBytes = 2 + Math.max(1, Math.ceil(typeOfData.toString(2).length / 7));
        const least = Math.floor(((pageBytes - 12) * 32) / 255) - 23;
        const rowBytes = typeBytes + dataBytes;
        // Section 1.6: the leaf keeps K = M + (P - M) % (U - 4) bytes, M where K is more than it may keep.
        expect((rowBytes - least) % (pageBytes - 4), `${pageBytes} x ${pages}`).toBe(0);
        expect(start).toBe(least - typeBytes);
        expect(start).toBeGreaterThan(0);
      }
    }
  });
});

describe('the rows of a blob', () => {
  it('hold every byte once, one after the other, and each fits its pages', () => {
    fc.assert(
      fc.property(geometry, sizes, (shape, blobBytes) => {
        fc.pre(blobBytes / rowContentBytes(shape) < 3000);
        let [content, at] = [0, 0];
        const parts = layRows(shape, blobBytes);
        for (const part of parts) {
          expect([part.contentAt, part.at]).toEqual([content, at]);
          expect(part.shape.start + ROW_HEADER_BYTES + part.contentBytes).toBeLessThanOrEqual(part.shape.dataBytes);
          content += part.contentBytes;
          at += part.shape.dataBytes;
        }
        expect(content).toBe(blobBytes);
        expect(rowId(7, parts.length - 1)).toBeLessThan(rowId(8, 0));
      }),
    );
  });

  it('give any range by pieces of rows that hold it', () => {
    const range = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(geometry, fc.integer({ min: 0, max: MIB }), range, (shape, blobBytes, [a, b]) => {
        const [start = 0, end = 0] = [Math.floor(a * blobBytes), Math.floor(b * blobBytes)].sort((x, y) => x - y);
        const parts = layRows(shape, blobBytes);
        let from = start;
        for (const { index, at, length } of piecesOf(shape, blobBytes, { start, end })) {
          const part = parts[index];
          const inside = at - (part?.shape.start ?? 0) - ROW_HEADER_BYTES;
          expect((part?.contentAt ?? 0) + inside).toBe(from);
          expect(inside + length).toBeLessThanOrEqual(part?.contentBytes ?? 0);
          from += length;
        }
        expect(from).toBe(end);
      }),
    );
  });

  it('fit the pages that are said to be enough, and no larger blob does', () => {
    fc.assert(
      fc.property(geometry, fc.integer({ min: 0, max: 20_000 }), (shape, pages) => {
        const bytes = bytesInPages(shape, pages);
        if (bytes > 0) expect(pagesOf(shape, bytes)).toBeLessThanOrEqual(pages);
        expect(pagesOf(shape, bytes + 1)).toBeGreaterThan(pages);
      }),
    );
  });
});
