import { describe, expect, it } from 'vitest';
import { caught } from '../../../test/support/caught.ts';
import { formatS3Url, parseS3Url } from './s3-url.ts';

describe('parseS3Url', () => {
  it('takes bucket, prefix and settings', () => {
    expect(parseS3Url('s3://vault/a/b?region=eu-central-1&storageClass=STANDARD_IA')).toEqual({
      ...{ bucket: 'vault', prefix: 'a/b/', endpoint: undefined, region: 'eu-central-1' },
      ...{ storageClass: 'STANDARD_IA', pathStyle: false },
    });
    expect(parseS3Url('s3://vault?endpoint=http://127.0.0.1:8480')).toMatchObject({
      ...{ prefix: '', endpoint: 'http://127.0.0.1:8480', pathStyle: true },
    });
    expect(parseS3Url('s3://vault?endpoint=https://s3.example&pathStyle=false')).toMatchObject({ pathStyle: false });
  });

  it.each([
    ['s3://vault/', 's3://vault'],
    ['S3://vault/a/?', 's3://vault/a'],
    ['s3://vault?endpoint=HTTP%3A%2F%2Flocalhost%3A80%2F', 's3://vault?endpoint=http://localhost'],
    ['s3://vault?region=r&endpoint=https://h:9/p', 's3://vault?endpoint=https://h:9/p&region=r'],
    ['s3://vault?pathStyle=false', 's3://vault'],
    ['s3://vault?pathStyle=true', 's3://vault?pathStyle=true'],
  ])('reads %s as %s', (given, kept) => {
    expect(formatS3Url(parseS3Url(given))).toBe(kept);
    expect(formatS3Url(parseS3Url(kept))).toBe(kept);
  });

  it.each([
    's3:',
    's3://',
    's3://a',
    's3://bucket:80',
    's3://-bucket/',
    's3://bucket/a b',
    's3://bucket/a%2fb',
    's3://bucket/a//b',
    's3://bucket?endpoint=ftp://host',
    's3://bucket?endpoint=http://user:word@host',
    's3://bucket?endpoint=host',
    's3://bucket?region=a/b',
    's3://bucket?pathStyle=yes',
    's3://bucket?secret=x',
    'https://bucket',
  ])('refuses %s', (text) => {
    expect(() => parseS3Url(text)).toThrow(expect.objectContaining({ code: 'BACKEND_INVALID' }));
  });

  it.each([
    's3://key:secret@bucket/a',
    's3://bucket?secret=secret',
    's3://bucket?endpoint=http://key:secret@host',
  ])('neither takes credentials nor repeats them: %s', (text) => {
    const error = caught(() => parseS3Url(text));
    expect(error).toMatchObject({ code: 'BACKEND_INVALID' });
    expect(`${error} ${JSON.stringify(error)}`.replaceAll('no setting secret', '')).not.toContain('secret');
  });
});
