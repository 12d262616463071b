import { describe, expect, it } from 'vitest';
import { besideSchema, describePlace, isPostgresUrl, parsePostgresUrl } from './postgres-url.ts';

const URL_OF_ALL = 'postgres://me:secret@host:1/db?sslmode=require&schema=photos';

describe('parsePostgresUrl', () => {
  it('takes the schema out of what the client gets', () => {
    expect(parsePostgresUrl(URL_OF_ALL)).toEqual({
      url: 'postgres://me:secret@host:1/db?sslmode=require',
      schema: 'photos',
    });
    expect(parsePostgresUrl('postgresql://host/db')).toEqual({ url: 'postgresql://host/db', schema: 'holdfast' });
    expect(describePlace(parsePostgresUrl(URL_OF_ALL))).toBe('schema photos of host:1/db');
  });

  it.each([
    'postgres://',
    'postgres://host',
    'postgres://host/',
    'postgres://host/db?schema=',
    'postgres://host/db?schema=Upper',
    'postgres://host/db?schema=a%22b',
    `postgres://host/db?schema=${'a'.repeat(64)}`,
    '/some/file',
  ])('refuses %s', (text) => {
    expect(() => parsePostgresUrl(text)).toThrow(expect.objectContaining({ code: 'LOCATION_INVALID' }));
  });

  it('tells a URL from a path', () => {
    expect(['postgres://a/b', 'PostgreSQL://a/b', '/postgres:/a', 'postgres/a'].map(isPostgresUrl)).toEqual([
      ...[true, true],
      ...[false, false],
    ]);
  });

  it('calls the schema beside another one by a name that the server takes whole', () => {
    expect(parsePostgresUrl(besideSchema(URL_OF_ALL, 'rebuild')).schema).toBe('photos_rebuild');
    const long = `postgres://host/db?schema=${'a'.repeat(63)}`;
    const { schema } = parsePostgresUrl(besideSchema(long, 'set-aside-2026-11-22T101112.345Z'));
    expect(schema).toBe(`${'a'.repeat(30)}_set_aside_2026_11_22t101112_345z`);
  });
});
