import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError, type StoreError } from '../errors/store-error.ts';
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN } from '../limits.ts';
import { CHUNKING_PROFILES } from './profiles.ts';
import { type ChunkingSpec, checkChunking } from './spec.ts';
import { formatChunking, parseChunking } from './spec-text.ts';

function refusal(run: () => unknown): StoreError {
  try {
    run();
  } catch (error) {
    if (isStoreError(error, 'CHUNKING_INVALID')) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const FASTCDC = { kind: 'fastcdc', min: 64, avg: 256, max: 1024, normalisation: 1, seed: 0n } as const;
const BUZHASH = { kind: 'buzhash', min: 64, max: 1024, maskBits: 8, window: 32 } as const;

const specs: fc.Arbitrary<ChunkingSpec> = fc.oneof(
  fc.constant({ kind: 'given' } as const),
  fc.record({ kind: fc.constant('fixed' as const), bytes: fc.integer({ min: CHUNK_BYTES_MIN, max: CHUNK_BYTES_MAX }) }),
  fc
    .record({
      kind: fc.constant('fastcdc' as const),
      min: fc.integer({ min: 64, max: 1_048_576 }),
      avg: fc.integer({ min: 256, max: 4_194_304 }),
      max: fc.integer({ min: 1024, max: 16_777_216 }),
      normalisation: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
      seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    })
    .filter(({ min, avg, max }) => min <= avg && avg <= max),
  fc
    .record({
      kind: fc.constant('buzhash' as const),
      min: fc.integer({ min: CHUNK_BYTES_MIN, max: CHUNK_BYTES_MAX }),
      max: fc.integer({ min: CHUNK_BYTES_MIN, max: CHUNK_BYTES_MAX }),
      maskBits: fc.integer({ min: 6, max: 25 }),
      window: fc.constant(32 as const),
    })
    .filter(({ min, max }) => min <= max),
);

describe('checkChunking', () => {
  it('accepts every profile and the bounds themselves', () => {
    for (const profile of Object.values(CHUNKING_PROFILES)) checkChunking(profile);
    checkChunking({ kind: 'fixed', bytes: CHUNK_BYTES_MIN });
    checkChunking({ kind: 'fixed', bytes: CHUNK_BYTES_MAX });
    checkChunking({ ...FASTCDC, min: 1_048_576, avg: 4_194_304, max: 16_777_216, seed: 2n ** 64n - 1n });
    checkChunking({ ...BUZHASH, min: CHUNK_BYTES_MAX, max: CHUNK_BYTES_MAX, maskBits: 25 });
  });

  it.each<[string, object]>([
    ['fixed.bytes', { kind: 'fixed', bytes: CHUNK_BYTES_MIN - 1 }],
    ['fixed.bytes', { kind: 'fixed', bytes: CHUNK_BYTES_MAX + 1 }],
    ['fixed.bytes', { kind: 'fixed', bytes: 100.5 }],
    ['fixed.bytes', { kind: 'fixed', bytes: '4096' }],
    ['fastcdc.min', { ...FASTCDC, min: 63 }],
    ['fastcdc.min', { ...FASTCDC, min: 1_048_577, avg: 4_194_304, max: 16_777_216 }],
    ['fastcdc.min', { ...FASTCDC, min: 257 }],
    ['fastcdc.avg', { ...FASTCDC, avg: 255 }],
    ['fastcdc.avg', { ...FASTCDC, avg: 4_194_305, max: 16_777_216 }],
    ['fastcdc.avg', { ...FASTCDC, avg: 1025 }],
    ['fastcdc.max', { ...FASTCDC, max: 1023 }],
    ['fastcdc.max', { ...FASTCDC, max: 16_777_217 }],
    ['fastcdc.normalisation', { ...FASTCDC, normalisation: 4 }],
    ['fastcdc.seed', { ...FASTCDC, seed: 2n ** 64n }],
    ['fastcdc.seed', { ...FASTCDC, seed: -1n }],
    ['fastcdc.seed', { ...FASTCDC, seed: 0 }],
    ['buzhash.min', { ...BUZHASH, min: 63 }],
    ['buzhash.min', { ...BUZHASH, min: 1025 }],
    ['buzhash.max', { ...BUZHASH, max: CHUNK_BYTES_MAX + 1 }],
    ['buzhash.maskBits', { ...BUZHASH, maskBits: 5 }],
    ['buzhash.maskBits', { ...BUZHASH, maskBits: 26 }],
    ['buzhash.window', { ...BUZHASH, window: 48 }],
    ['kind', { kind: 'rabin' }],
  ])('refuses a wrong %s: %o', (setting, spec) => {
    expect(refusal(() => checkChunking(spec as ChunkingSpec)).details.setting).toBe(setting);
  });

  it('never tells a seed', () => {
    const seed = 2n ** 64n + 123_456_789n;
    expect(refusal(() => checkChunking({ ...FASTCDC, seed })).message).not.toContain(String(seed));
  });

  it('throws a TypeError for what is no object', () => {
    expect(() => checkChunking(undefined as unknown as ChunkingSpec)).toThrow(TypeError);
  });
});

describe('parseChunking and formatChunking', () => {
  it('give every spec back', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        expect(parseChunking(formatChunking(spec))).toEqual(spec);
      }),
    );
  });

  it.each([
    ['fixed:65536', { kind: 'fixed', bytes: 65_536 }],
    ['fastcdc:64:256:1024', FASTCDC],
    ['fastcdc:64:256:1024:3', { ...FASTCDC, normalisation: 3 }],
    ['fastcdc:64:256:1024:0:18446744073709551615', { ...FASTCDC, normalisation: 0, seed: 2n ** 64n - 1n }],
    ['buzhash:131072:524288:17', CHUNKING_PROFILES.buzhash],
    ['buzhash', CHUNKING_PROFILES.buzhash],
    ['chunkstore', CHUNKING_PROFILES.chunkstore],
    ['fastcdc:32768:65536:262144:2', CHUNKING_PROFILES.default],
    ['given', { kind: 'given' }],
  ])('reads %s', (text, spec) => {
    expect(parseChunking(text)).toEqual(spec);
  });

  it('writes the shortest text', () => {
    expect(formatChunking(CHUNKING_PROFILES.chunkstore)).toBe('fastcdc:262144:4194304:8388608:1');
    expect(formatChunking({ ...FASTCDC, seed: 7n })).toBe('fastcdc:64:256:1024:1:7');
  });

  it.each([
    '',
    'fixed',
    'fixed:',
    'fixed:1e5',
    'fixed:0x1000',
    'fixed:065536',
    'fixed:-1',
    'fixed: 65536',
    'fixed:65536:1',
    'fastcdc:64:256',
    'fastcdc:64:256:1024:1:0:0',
    'buzhash:131072:524288',
    'given:1',
    'rabin:1:2:3',
    'toString',
    'FIXED:65536',
  ])('refuses %j and names the legal forms', (text) => {
    const error = refusal(() => parseChunking(text));
    expect(error.message).toContain('fastcdc:MIN:AVG:MAX');
    expect(error.message).toContain('fixed-4m');
  });

  it('refuses what is out of bounds with the field', () => {
    expect(refusal(() => parseChunking('fixed:1')).details.setting).toBe('fixed.bytes');
    expect(refusal(() => parseChunking('fastcdc:64:256:1024:9')).details.setting).toBe('fastcdc.normalisation');
    expect(refusal(() => formatChunking({ kind: 'fixed', bytes: 1 })).details.setting).toBe('fixed.bytes');
  });
});
