import { describe, expect, it } from 'vitest';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { ARGON2_DEFAULT, type Argon2Options, argon2id, checkArgon2 } from './argon2.ts';

const passphrase = utf8Encode('password');
const salt = utf8Encode('somesalt');
const cheap = { memoryKib: 256, passes: 2, parallelism: 1, salt };
const long = new Uint8Array(16);

describe('Argon2id', () => {
  it.each<readonly [Partial<Argon2Options>, string]>([
    // test.c of the reference implementation, phc-winner-argon2, version 0x13
    [{}, '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe'],
    [{ parallelism: 2 }, '6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037'],
    [{ memoryKib: 65_536 }, '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7'],
  ])('gives the published key of %j', async (change, expected) => {
    expect(toHex(await argon2id(passphrase, { ...cheap, ...change }))).toBe(expected);
  });

  it('leaves the event loop free, and reads its arguments before it returns', async () => {
    const lent = passphrase.slice();
    let turns = 0;
    const pending = argon2id(lent, { ...ARGON2_DEFAULT, memoryKib: 16_384, salt: long });
    lent.fill(0);
    const done = pending.then(() => -1);
    while ((await Promise.race([done, new Promise<number>((resolve) => setImmediate(resolve, 1))])) > 0) turns += 1;
    expect(turns).toBeGreaterThan(0);
    expect(await pending).toEqual(await argon2id(passphrase, { ...ARGON2_DEFAULT, memoryKib: 16_384, salt: long }));
  });

  it('gives keys of the length asked for, 32 by default, as plain arrays', async () => {
    const key = await argon2id(passphrase, cheap);
    expect(key).toHaveLength(32);
    expect(Object.getPrototypeOf(key)).toBe(Uint8Array.prototype);
    expect(await argon2id(passphrase, { ...cheap, bytes: 64 })).toHaveLength(64);
  });

  it.each<readonly [string, Partial<Argon2Options>, ErrorConstructor]>([
    ['7 bytes of salt', { salt: salt.subarray(1) }, RangeError],
    ['text as salt', { salt: 'somesalt' as never }, TypeError],
    ['less than 8 KiB a lane', { memoryKib: 31, parallelism: 4 }, RangeError],
    ['no passes', { passes: 0 }, RangeError],
    ['no lanes', { parallelism: 0 }, RangeError],
    ['half a pass', { passes: 1.5 }, RangeError],
    ['three bytes', { bytes: 3 }, RangeError],
    ['memory as text', { memoryKib: '256' as never }, TypeError],
  ])('refuses %s', async (_, change, expected) => {
    await expect(argon2id(passphrase, { ...cheap, ...change })).rejects.toBeInstanceOf(expected);
  });
});

describe('checkArgon2', () => {
  const good = { ...ARGON2_DEFAULT, salt: long };

  it('believes the default and the bounds themselves', () => {
    expect(ARGON2_DEFAULT).toEqual({ memoryKib: 65_536, passes: 3, parallelism: 4 });
    expect(checkArgon2(good)).toBeUndefined();
    expect(checkArgon2({ memoryKib: 8192, passes: 1, parallelism: 1, salt: long })).toBeUndefined();
    expect(
      checkArgon2({ memoryKib: 1_048_576, passes: 16, parallelism: 16, salt: new Uint8Array(64) }),
    ).toBeUndefined();
  });

  it.each([
    ['memory', { memoryKib: 8191 }],
    ['memory', { memoryKib: 1_048_577 }],
    ['memory', { memoryKib: Number.NaN }],
    ['passes', { passes: 0 }],
    ['passes', { passes: 17 }],
    ['passes', { passes: 2.5 }],
    ['parallelism', { parallelism: 0 }],
    ['parallelism', { parallelism: 17 }],
    ['salt', { salt: new Uint8Array(15) }],
    ['salt', { salt: new Uint8Array(65) }],
  ])('tells that the %s of %j is out of bounds', (what, change) => {
    expect(checkArgon2({ ...good, ...change })).toContain(what);
  });
});
