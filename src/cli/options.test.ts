import { describe, expect, it } from 'vitest';
import {
  collect,
  collectAttribute,
  parseBytes,
  parseCount,
  parsePercent,
  parseRange,
  parseRate,
  parseSpan,
  parseTime,
} from './options.ts';

describe('parseCount', () => {
  it('takes whole numbers', () => {
    expect(parseCount('0')).toBe(0);
    expect(parseCount('42')).toBe(42);
  });

  it.each(['', '-1', '1.5', '1e3', ' 1', '0x10', 'many', '9999999999999999'])('refuses %j', (text) => {
    expect(() => parseCount(text)).toThrow('whole number');
  });
});

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['500', 500],
    ['64KiB', 64 * 1024],
    ['64k', 64 * 1024],
    ['10 GiB', 10 * 1024 ** 3],
    ['2T', 2 * 1024 ** 4],
  ])('reads %j', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', 'KiB', '-1', '1.5GiB', '1PiB', '999999999999T', 'none'])('refuses %j', (text) => {
    expect(() => parseBytes(text)).toThrow('size');
  });
});

describe('parseRange', () => {
  it.each([
    ['10:5', { offset: 10, length: 5 }],
    ['10:', { offset: 10 }],
    [':5', { offset: 0, length: 5 }],
    ['0:0', { offset: 0, length: 0 }],
  ])('reads %j', (text, range) => {
    expect(parseRange(text)).toEqual(range);
  });

  it.each(['', ':', '5', '-1:5', '1:2:3', 'a:b', '1-5'])('refuses %j', (text) => {
    expect(() => parseRange(text)).toThrow('OFFSET:LENGTH');
  });
});

describe('collectAttribute', () => {
  it('gathers names and values; a value may hold = and be empty', () => {
    const first = collectAttribute('a=1');
    expect(collectAttribute('c=', collectAttribute('b=x=y', first))).toEqual({ a: '1', b: 'x=y', c: '' });
  });

  it('takes any name as a name', () => {
    const gathered = collectAttribute('__proto__=x');
    expect(Object.entries(gathered)).toEqual([['__proto__', 'x']]);
  });

  it('refuses what has no name, and a name given twice', () => {
    expect(() => collectAttribute('novalue')).toThrow('NAME=VALUE');
    expect(() => collectAttribute('=x')).toThrow('NAME=VALUE');
    expect(() => collectAttribute('a=2', { a: '1' })).toThrow('given twice');
  });
});

describe('collect', () => {
  it('keeps the order', () => {
    expect(collect('b', collect('a'))).toEqual(['a', 'b']);
  });
});

describe('parseTime', () => {
  it('takes a day as its midnight, UTC', () => {
    expect(parseTime('2026-01-31')).toBe('2026-01-31T00:00:00.000Z');
  });

  it.each([
    ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:07Z', '2026-01-31T12:00:07.000Z'],
    ['2026-01-31T12:00:00.5+02:00', '2026-01-31T10:00:00.500Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('takes %s as %s', (text, time) => {
    expect(parseTime(text)).toBe(time);
  });

  it.each(['yesterday', '31.01.2026', '2026-01-31T12:00:00', '2026-1-1', ''])('refuses %j', (text) => {
    expect(() => parseTime(text)).toThrow('must be a time');
  });

  it.each([
    '2026-02-30',
    '2026-02-30T10:00:00+02:00',
    '2026-13-01',
    '2026-01-00',
    '0001-01-00',
    '0000-00-00',
    '2026-01-31T25:00:00Z',
  ])('refuses %s, which no calendar has', (text) => {
    expect(() => parseTime(text)).toThrow('must be a time');
  });
});

describe('parseRate, parsePercent and parseSpan', () => {
  it('take what people write', () => {
    expect([parseRate('10MiB/s'), parseRate('500')]).toEqual([10 * 1024 * 1024, 500]);
    expect([parsePercent('5'), parsePercent('0.5%'), parsePercent('100')]).toEqual([5, 0.5, 100]);
    expect([parseSpan('90s'), parseSpan('15m'), parseSpan('12h'), parseSpan('7d')]).toEqual([
      ...[90_000, 900_000, 43_200_000, 604_800_000],
    ]);
  });

  it.each(['0', '101', '-1', 'ten', ''])('refuse %j as a share', (text) => {
    expect(() => parsePercent(text)).toThrow('above 0 and at most 100');
  });

  it.each(['7', '7w', '1.5d', 'd', ''])('refuse %j as a span', (text) => {
    expect(() => parseSpan(text)).toThrow('must be a time span');
  });

  it('refuse to read nothing for ever', () => {
    expect(() => parseRate('0/s')).toThrow('more than nothing');
    expect(() => parseRate('fast')).toThrow('must be a size');
  });
});
