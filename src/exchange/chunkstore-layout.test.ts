import { expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import { parseCount, parseManifest } from './chunkstore-layout.ts';

it.each(['-0', '-1', '1.5', '1e300', '"1"', 'null', ''])('%o is no count', (text) => {
  expect(parseCount(utf8Encode(text))).toBeUndefined();
});

it('a manifest of minus zero bytes is none', () => {
  expect(() => parseManifest(utf8Encode('{"digests":[],"file_bytes":-0}'), 'x')).toThrow(
    expect.objectContaining({ code: 'IMPORT_CORRUPT' }),
  );
  expect(parseManifest(utf8Encode('{"digests":[],"file_bytes":0}'), 'x')).toEqual({ digests: [], fileBytes: 0 });
});
