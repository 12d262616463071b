import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import {
  decodeMigrationMark,
  decodeMovedMark,
  encodeMigrationMark,
  encodeMovedMark,
  MIGRATION_KEY,
  MOVED_KEY,
} from './move-marks.ts';

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
    const told = (backendKey: string) =>
      expect.objectContaining({ code, ...(code === 'CONFIG_CORRUPT' && { details: { backendKey } }) });
    expect(() => decodeMigrationMark(utf8Encode(text))).toThrow(told(MIGRATION_KEY));
    expect(() => decodeMovedMark(utf8Encode(text))).toThrow(told(MOVED_KEY));
  });

  it('is of one kind', () => {
    const migration = encodeMigrationMark({ storeId: STORE, verifiedTo: 'packs/0a/00.0' });
    expect(decodeMigrationMark(migration)).toEqual({ storeId: STORE, verifiedTo: 'packs/0a/00.0' });
    expect(() => decodeMovedMark(migration)).toThrow(expect.objectContaining({ code: 'CONFIG_CORRUPT' }));
    const moved = encodeMovedMark({ storeId: STORE, to: 'file:///there' });
    expect(decodeMovedMark(moved)).toEqual({ storeId: STORE, to: 'file:///there' });
    expect(() => decodeMigrationMark(moved)).toThrow(expect.objectContaining({ code: 'CONFIG_CORRUPT' }));
  });
});
