import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noise } from '../../../test/support/contents.ts';
import { type SmallS3, startSmallS3 } from '../../../test/support/small-s3.ts';
import { readOnlyBackend } from '../read-only-backend.ts';
import { retryingBackend } from '../retrying-backend.ts';
import { openS3Backend } from './open-s3-backend.ts';

const MIB = 1024 ** 2;
let s3: SmallS3;
beforeEach(async () => {
  s3 = await startSmallS3();
});
afterEach(() => s3.close());

/** Few tries, so that what fails for ever fails soon. */
const open = (readOnly = false) => openS3Backend(s3.url, { attempts: 2, readOnly });

describe('opening a bucket', () => {
  it('tells that it creates exactly once, and leaves nothing behind', async () => {
    const backend = await open();
    expect(backend.capabilities).toMatchObject({ ifAbsent: true, durable: true, writable: true });
    expect(s3.objects.size).toBe(0);
    await backend.close();
  });

  it('only lists it for those who only read', async () => {
    const backend = await open(true);
    expect(backend.capabilities).toMatchObject({ ifAbsent: false, writable: false });
    expect(s3.calls).toEqual(['GET ?list-type']);
    await backend.close();
  });

  it.each([
    ['refuses every create', 412],
    ['knows no conditions', 501],
  ])('does without creates where the object store %s', async (_, status) => {
    s3.misbehave = ({ headers }) => (headers['if-none-match'] ? { status, code: 'NotImplemented' } : undefined);
    const backend = await open();
    expect(backend.capabilities.ifAbsent).toBe(false);
    await expect(backend.put('a', noise(10), { ifAbsent: true })).rejects.toMatchObject({
      code: 'CAPABILITY_UNSUPPORTED',
    });
    await backend.put('a', noise(10));
    expect(await backend.get('a')).toEqual(noise(10));
    await backend.close();
  });

  it('does without creates where the object store overlooks the condition', async () => {
    s3.misbehave = ({ call }) => {
      s3.objects.delete(call.replace('PUT ', ''));
      return undefined;
    };
    const backend = await open();
    expect(backend.capabilities.ifAbsent).toBe(false);
    await backend.close();
  });

  it('refuses an object store that says that it stored what it did not', async () => {
    s3.misbehave = ({ call }) => (call.startsWith('PUT') ? 'forget' : undefined);
    await expect(open()).rejects.toMatchObject({
      code: 'BACKEND_IO',
      retry: false,
      message: /no object store to trust/,
    });
  });

  it.each([
    [404, 'NoSuchBucket', 'BACKEND_IO', /make it/],
    [301, 'PermanentRedirect', 'BACKEND_IO', /region=/],
    [403, 'InvalidAccessKeyId', 'PERMISSION_DENIED', /access key/],
    [403, 'SignatureDoesNotMatch', 'PERMISSION_DENIED', /secret key/],
    [403, 'RequestTimeTooSkewed', 'PERMISSION_DENIED', /clock/],
    [403, 'AccessDenied', 'PERMISSION_DENIED', /may not do this/],
    [400, 'ExpiredToken', 'PERMISSION_DENIED', /get a new one/],
  ])('says what to do about %s %s', async (status, answer, code, message) => {
    s3.misbehave = () => ({ status, code: answer });
    await expect(open()).rejects.toMatchObject({ code, message, retry: false, cause: expect.any(Error) });
  });

  it('says what to do without credentials', async () => {
    vi.unstubAllEnvs();
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']) vi.stubEnv(name, '/nowhere');
    await expect(open()).rejects.toMatchObject({ code: 'PERMISSION_DENIED', message: /AWS_ACCESS_KEY_ID/ });
  });

  it('says what to do without a region', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
    for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']) vi.stubEnv(name, '/nowhere');
    const opening = openS3Backend('s3://bucket');
    await expect(opening).rejects.toMatchObject({ code: 'BACKEND_IO', retry: false, message: /AWS_REGION/ });
  });

  it('says so where nobody answers', async () => {
    await s3.close();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    await expect(open()).rejects.toMatchObject({
      code: 'BACKEND_IO',
      retry: true,
      message: /ECONNREFUSED|cannot be reached/,
    });
    s3 = await startSmallS3();
  });
});

describe('requests', () => {
  it('are counted as they go out, each try for itself', async () => {
    const backend = await open();
    const opening = { DeleteObject: 1, GetObject: 1, ListObjectsV2: 1, PutObject: 2 };
    expect(backend.service).toEqual({ requests: opening, retries: 0, throttles: 0 });
    await backend.put('a', noise(33 * MIB));
    let asked = 0;
    s3.misbehave = () => (asked++ === 0 ? { status: 503, code: 'SlowDown' } : undefined);
    await backend.head('a');
    const { requests, retries, throttles } = backend.service ?? {};
    expect(requests).toEqual({
      ...{ ...opening, HeadObject: 2 },
      ...{ CreateMultipartUpload: 1, UploadPart: 5, CompleteMultipartUpload: 1 },
    });
    expect({ retries, throttles }).toEqual({ retries: 1, throttles: 1 });
    expect(s3.calls).toHaveLength(5 + 7 + 2);
    expect(readOnlyBackend(retryingBackend(backend)).service).toEqual(backend.service);
    await backend.close();
  });
});

describe('a bucket that fails', () => {
  it('is asked again', async () => {
    const backend = await open();
    let failures = 0;
    s3.misbehave = () => (failures++ % 2 === 0 ? { status: 500, code: 'InternalError' } : undefined);
    await backend.put('a', noise(1000));
    expect(await backend.get('a', { offset: 10, length: 20 })).toEqual(noise(1000).subarray(10, 30));
    expect(failures).toBe(4);
    s3.misbehave = () => ({ status: 503, code: 'SlowDown' });
    await expect(backend.get('a')).rejects.toMatchObject({
      code: 'BACKEND_IO',
      retry: true,
      message: /SlowDown.*2 times/,
    });
    await backend.close();
  });

  it('is read again where an answer ends early, and never read short', async () => {
    const backend = await open();
    await backend.put('a', noise(100_000));
    let cuts = 2;
    s3.misbehave = () => (cuts-- > 0 ? { cut: 5000 } : undefined);
    expect(await backend.get('a')).toEqual(noise(100_000));
    s3.misbehave = () => ({ cut: 99_999 });
    await expect(backend.get('a')).rejects.toMatchObject({
      code: 'BACKEND_IO',
      retry: true,
      message: /99999 of 100000/,
    });
    await backend.close();
  });

  it('is not taken for an empty one when it is gone', async () => {
    const backend = await open();
    s3.misbehave = ({ call }) => ({ status: 404, ...(call.startsWith('GET') && { code: 'NoSuchBucket' }) });
    for (const ask of [() => backend.head('a'), () => backend.get('a'), () => backend.list()])
      await expect(ask()).rejects.toMatchObject({ code: 'BACKEND_IO', retry: false });
    await backend.close();
  });

  it.each([
    [403, 'QuotaExceeded', 'QUOTA_EXCEEDED'],
    [507, 'InsufficientStorage', 'DISK_FULL'],
  ])('is told to be full by %s %s', async (status, answer, code) => {
    const backend = await open();
    s3.misbehave = () => ({ status, code: answer });
    await expect(backend.put('a', noise(10))).rejects.toMatchObject({ code });
    await backend.close();
  });

  it('leaves it open whether a create has happened, and asks only once', async () => {
    const backend = await open();
    const before = s3.calls.length;
    s3.misbehave = () => ({ status: 500, code: 'InternalError' });
    const put = backend.put('a', noise(10), { ifAbsent: true });
    await expect(put).rejects.toMatchObject({ code: 'BACKEND_IO', retry: true });
    expect(s3.calls.length - before).toBe(1);
    await backend.close();
  });
});

describe('a put', () => {
  it('carries the digest of its bytes, which others would not have, and signs it', async () => {
    const backend = await open();
    const digests: (readonly [unknown, string])[] = [];
    s3.misbehave = ({ headers, body }) => {
      const own = createHash('sha256').update(body).digest('hex');
      if (body.length > 0) digests.push([headers['x-amz-content-sha256'], own]);
      expect(headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-content-sha256/);
      return undefined;
    };
    await backend.put('a', noise(1000));
    await backend.put('b', noise(33 * MIB));
    expect(digests.length).toBeGreaterThan(5);
    for (const [sent, own] of digests.slice(0, -1)) expect(sent).toBe(own);
    await backend.close();
  });

  it('of a large blob goes up in parts, of which a failed one is sent again', async () => {
    const backend = await open();
    let failed = false;
    s3.misbehave = ({ call }) => {
      if (failed || !call.endsWith('?partNumber')) return undefined;
      failed = true;
      return { status: 500, code: 'InternalError' };
    };
    await backend.put('a', noise(33 * MIB));
    expect(failed).toBe(true);
    expect(s3.calls.filter((call) => call.endsWith('?partNumber'))).toHaveLength(6);
    expect(Buffer.compare((await backend.get('a')) ?? Buffer.alloc(0), noise(33 * MIB))).toBe(0);
    await backend.close();
  });

  it('in parts that fails, or is aborted, leaves what was there and no parts', async () => {
    const backend = await open();
    await backend.put('a', noise(10));
    s3.misbehave = ({ call }) => (call.endsWith('?partNumber') ? { status: 500, code: 'InternalError' } : undefined);
    await expect(backend.put('a', noise(33 * MIB, 2))).rejects.toMatchObject({ code: 'BACKEND_IO', retry: true });
    const enough = new AbortController();
    s3.misbehave = ({ call }) => {
      if (call.endsWith('?partNumber')) enough.abort(new Error('enough'));
      return undefined;
    };
    await expect(backend.put('a', noise(33 * MIB, 2), { signal: enough.signal })).rejects.toThrow('enough');
    expect(s3.calls.filter((call) => call === 'DELETE in/a?uploadId')).toHaveLength(2);
    expect(await backend.get('a')).toEqual(noise(10));
    await backend.close();
  });
});
