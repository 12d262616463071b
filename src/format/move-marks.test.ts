import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import { decodeMigrationMark, decodeMovedMark, encodeMovedMark } from './move-marks.ts';

const STORE = '0'.repeat(32);

describe('a mark of a move', () => {
  it.each([
    ['', 'CONFIG_CORRUPT'],
    ['{', 'CONFIG_CORRUPT'],
    ['{}', 'CONFIG_CORRUPT'],
    ['{"format":1}', 'CONFIG_CORRUPT'],
    [`{"format":1,"storeId":"${STORE}","more":1,"to":"x","verifiedTo":""}`, 'CONFIG_CORRUPT'],
    ['{"format":2}', 'FORMAT_UNSUPPORTED'],
  ])('is not read out of %s', (text, code) => {
    expect(() => decodeMigrationMark(utf8Encode(text))).toThrow(expect.objectContaining({ code }));
    expect(() => decodeMovedMark(utf8Encode(text))).toThrow(expect.objectContaining({ code }));
  });

  it('is of one kind', () => {
    const moved = encodeMovedMark({ storeId: STORE, to: 'file:///there' });
    expect(decodeMovedMark(moved)).toEqual({ storeId: STORE, to: 'file:///there' });
    expect(() => decodeMigrationMark(moved)).toThrow(expect.objectContaining({ code: 'CONFIG_CORRUPT' }));
  });
});
