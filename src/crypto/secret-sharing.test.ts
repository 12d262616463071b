import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../bytes/bytes.ts';
import { systemRandom } from '../runtime/random.ts';
import { combineShares, splitSecret } from './secret-sharing.ts';
import { formatShare, parseShare } from './share-text.ts';

const secret = utf8Encode('a seed that must not be lost');
const split = (shares: number, threshold: number, bytes = secret) =>
  splitSecret(bytes, { shares, threshold, random: systemRandom });
const INVALID = { code: 'CREDENTIAL_INVALID' };

/** Every way to take some of the items. */
function subsets<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length }, (_, taken) => items.filter((_item, at) => taken & (1 << at)));
}

describe('splitSecret', () => {
  it('makes shares of which any threshold restores the secret and any fewer are refused', async () => {
    for (const [count, threshold] of [
      [2, 2],
      [3, 2],
      [5, 3],
    ] as const) {
      for (const some of subsets(await split(count, threshold))) {
        const combined = combineShares(some.reverse());
        if (some.length >= threshold) expect(await combined).toEqual(secret);
        else await expect(combined).rejects.toMatchObject(INVALID);
      }
    }
  });

  it('restores secrets of any length, at any threshold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 1024 }),
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 0, max: 7 }),
        async (bytes, threshold, more) => {
          const shares = await split(threshold + more, threshold, bytes);
          expect(await combineShares(shares.slice(more))).toEqual(bytes);
        },
      ),
      { numRuns: 30 },
    );
    expect(await combineShares((await split(255, 255)).toReversed())).toEqual(secret);
  });

  it('leaves every secret equally likely to who holds one share too few', async () => {
    // One share of two, over a secret of equal bytes: each byte of the share takes all values, whatever the secret is.
    for (const byte of [0, 255]) {
      const seen = new Set<number>();
      for (let round = 0; round < 100; round += 1) {
        const [first = ''] = await split(2, 2, new Uint8Array(128).fill(byte));
        for (const value of parseShare(first).payload.subarray(0, 128)) seen.add(value);
      }
      expect(seen.size).toBe(256);
    }
  });

  it('writes shares that tell their place and nothing of the secret', async () => {
    const shares = await split(3, 2);
    const group = /^holdfast-share-v1-2of3-1-([0-9a-f]{8})-/.exec(shares[0] ?? '')?.[1];
    expect(
      shares.map((share) => share.startsWith(`holdfast-share-v1-2of3-${shares.indexOf(share) + 1}-${group}-`)),
    ).toEqual([true, true, true]);
    expect((await split(3, 2))[0]).not.toContain(group);
    const hex = Buffer.from(secret).toString('hex');
    for (const share of shares) expect(share).not.toContain(hex.slice(0, 16));
  });

  it.each([
    [1, 1],
    [256, 2],
    [3, 1],
    [3, 4],
    [3.5, 2],
  ])('refuses %d shares at a threshold of %d', async (shares, threshold) => {
    await expect(split(shares, threshold)).rejects.toBeInstanceOf(RangeError);
  });

  it('refuses secrets that are empty, too long or text', async () => {
    await expect(split(3, 2, new Uint8Array(0))).rejects.toBeInstanceOf(RangeError);
    await expect(split(3, 2, new Uint8Array(1025))).rejects.toBeInstanceOf(RangeError);
    await expect(split(3, 2, 'secret' as never)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('combineShares', () => {
  it('does not mind case, white space or a share given twice', async () => {
    const [first = '', second = '', third = ''] = await split(3, 2);
    const typed = `  ${second.toUpperCase().replace(/(.{20})/g, '$1 \n')}`;
    expect(await combineShares([first, typed, first])).toEqual(secret);
    await expect(combineShares([third, third])).rejects.toMatchObject({
      ...INVALID,
      details: { expected: 2, actual: 1 },
    });
  });

  it('tells every single wrong character', async () => {
    const [first = '', second = ''] = await split(2, 2);
    for (let at = 0; at < first.length; at += 1) {
      const wrong = first[at] === '3' ? '4' : '3';
      const mistyped = first.slice(0, at) + wrong + first.slice(at + 1);
      await expect(combineShares([mistyped, second])).rejects.toMatchObject(INVALID);
    }
  });

  it('refuses shares of different splits, even of the same secret', async () => {
    const [one = ''] = await split(3, 2);
    const [, other = ''] = await split(3, 2);
    await expect(combineShares([one, other])).rejects.toMatchObject(INVALID);
  });

  it('refuses shares that were changed with their checksum, and a coordinate that would decide alone', async () => {
    const [first = '', second = ''] = await split(2, 2);
    const share = parseShare(first);
    const change = (edit: (payload: Uint8Array) => void) => {
      const payload = share.payload.slice();
      edit(payload);
      return formatShare({ ...share, payload });
    };
    const changed = change((payload) => payload.set([(payload[0] ?? 0) ^ 1]));
    const coordinate = parseShare(second).payload.at(-1) ?? 0;
    const doubled = change((payload) => payload.set([coordinate], payload.length - 1));
    const zero = change((payload) => payload.set([0], payload.length - 1));
    const short = formatShare({ ...share, payload: share.payload.slice(0, 3) });
    for (const forged of [changed, doubled, zero, short]) {
      await expect(combineShares([forged, second])).rejects.toMatchObject(INVALID);
    }
    const both = [first, second].map((one) => formatShare({ ...parseShare(one), payload: Uint8Array.of(1, 2, 3) }));
    await expect(combineShares(both)).rejects.toMatchObject(INVALID);
  });

  it.each([
    ['no shares', []],
    ['other text', ['a', 'b']],
    ['a share of a later version', ['holdfast-share-v2-2of3-1-00000000-00-00000000']],
    ['endless text', ['holdfast-share-v1-'.padEnd(1_000_000, '0')]],
  ])('refuses %s', async (_, shares) => {
    await expect(combineShares(shares)).rejects.toMatchObject(INVALID);
  });

  it('refuses shares that contradict themselves', () => {
    const share = { threshold: 2, count: 3, index: 1, group: '00000000', payload: Uint8Array.of(1, 2) };
    expect(parseShare(formatShare(share))).toEqual(share);
    for (const change of [
      { threshold: 1 },
      { threshold: 4 },
      { index: 4 },
      { count: 256 },
      { payload: new Uint8Array(2) },
    ]) {
      expect(() => parseShare(formatShare({ ...share, ...change }))).toThrow(expect.objectContaining(INVALID));
    }
  });

  it('never quotes a share', async () => {
    const [first = ''] = await split(2, 2);
    const broken = `${first.slice(0, -1)}${first.endsWith('0') ? '1' : '0'}`;
    const failure = await combineShares([broken]).catch((error: unknown) => error as Error & { details: object });
    const payload = first.split('-').at(-2) ?? '';
    expect(`${(failure as Error).stack}${JSON.stringify(failure)}`).not.toContain(payload.slice(0, 16));
  });

  it('takes nothing but an array of texts', async () => {
    await expect(combineShares('share' as never)).rejects.toBeInstanceOf(TypeError);
    await expect(combineShares([7] as never)).rejects.toBeInstanceOf(TypeError);
  });
});
