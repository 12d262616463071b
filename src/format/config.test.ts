import { blake3 } from '@noble/hashes/blake3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { SAMPLE_CONFIG } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { concatBytes, toHex, utf8Decode, utf8Encode } from '../bytes/bytes.ts';
import { StoreError } from '../errors/store-error.ts';
import { STORE_CONFIG_BYTES_MAX } from '../limits.ts';
import { decodeStoreConfig, encodeStoreConfig, type StoreConfig, unknownReadOnlyFeatures } from './config.ts';

const ENCODED = encodeStoreConfig(SAMPLE_CONFIG);
const [FRONT = ''] = utf8Decode(ENCODED).split(',\n  "check"');
const REVERSED = Object.fromEntries(Object.entries(SAMPLE_CONFIG).reverse()) as unknown as StoreConfig;

/** Text up to the check, with a check that fits it. */
function checked(front: string): Uint8Array {
  return utf8Encode(`${front},\n  "check": "${toHex(blake3(utf8Encode(front)))}"\n}\n`);
}

/** The sample with other members, as somebody wrote it who did not look at them. */
function forged(change: Readonly<Record<string, unknown>>): Uint8Array {
  return checked(JSON.stringify({ ...SAMPLE_CONFIG, ...change }, undefined, 2).slice(0, -2));
}

function outcome(bytes: Uint8Array): string {
  return outcomeOf(() => decodeStoreConfig(bytes));
}

describe('a store config', () => {
  it('reads back', () => {
    expect(decodeStoreConfig(ENCODED)).toEqual(SAMPLE_CONFIG);
  });

  it('reads back with any level, chunking, time and generation', () => {
    const changes = fc.record({
      chunking: fc.string({ unit: 'binary', minLength: 1 }),
      compression: fc.record({ codec: fc.constant('zstd' as const), level: fc.integer({ min: -7, max: 22 }) }),
      created: fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
        .map((date) => date.toISOString()),
      generation: fc.maxSafeNat().filter((generation) => generation > 0),
    });
    fc.assert(
      fc.property(changes, (change) => {
        const config = { ...SAMPLE_CONFIG, ...change };
        expect(decodeStoreConfig(encodeStoreConfig(config))).toEqual(config);
      }),
    );
  });

  it('is JSON in one spelling, whatever the order its members were given in', () => {
    expect(encodeStoreConfig(REVERSED)).toEqual(ENCODED);
    expect(JSON.parse(utf8Decode(ENCODED))).toMatchObject(SAMPLE_CONFIG);
    expect(utf8Decode(ENCODED).endsWith('"\n}\n')).toBe(true);
  });

  it('notices every flipped bit', () => {
    for (const { bit, bytes } of bitFlips(ENCODED)) expect(outcome(bytes), `bit ${bit}`).toBe('corrupt/CONFIG_CORRUPT');
  });

  it('notices every lost byte, and one too many', () => {
    for (const bytes of truncations(ENCODED)) expect(outcome(bytes)).toBe('corrupt/CONFIG_CORRUPT');
    expect(outcome(concatBytes([ENCODED, utf8Encode('\n')]))).toBe('corrupt/CONFIG_CORRUPT');
    expect(outcome(concatBytes([utf8Encode('\ufeff'), ENCODED]))).toBe('corrupt/CONFIG_CORRUPT');
  });

  it('says which blob is damaged', () => {
    const error = caught(() => decodeStoreConfig(new Uint8Array(0)));
    expect((error as StoreError).details).toEqual({ backendKey: 'holdfast.json' });
  });
});

describe('a store config with a good check', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['nothing changed', {}, 'no error'],
    ['format 2 without its members', { format: 2 }, 'corrupt/CONFIG_CORRUPT'],
    ['format 3', { format: 3 }, 'unsupported/FORMAT_UNSUPPORTED'],
    ['format 3 and members of its own', { format: 3, x: 1, features: 'new' }, 'unsupported/FORMAT_UNSUPPORTED'],
    ['format 0', { format: 0 }, 'corrupt/CONFIG_CORRUPT'],
    ['a format that is text', { format: '1' }, 'corrupt/CONFIG_CORRUPT'],
    ['no features', { features: undefined }, 'corrupt/CONFIG_CORRUPT'],
    [
      'a feature with a strange name',
      { features: { ...SAMPLE_CONFIG.features, compatible: ['A b'] } },
      'corrupt/CONFIG_CORRUPT',
    ],
    ['features of a fourth kind', { features: { ...SAMPLE_CONFIG.features, other: [] } }, 'corrupt/CONFIG_CORRUPT'],
    [
      'an incompatible feature',
      { features: { ...SAMPLE_CONFIG.features, incompatible: ['sealed'] } },
      'unsupported/FORMAT_UNSUPPORTED',
    ],
    ['a short store id', { storeId: '00' }, 'corrupt/CONFIG_CORRUPT'],
    ['a store id in capitals', { storeId: SAMPLE_CONFIG.storeId.toUpperCase() }, 'corrupt/CONFIG_CORRUPT'],
    ['a local time', { created: '2026-01-01T00:00:00+01:00' }, 'corrupt/CONFIG_CORRUPT'],
    ['no time', { created: 'yesterday' }, 'corrupt/CONFIG_CORRUPT'],
    ['an empty chunking', { chunking: '' }, 'corrupt/CONFIG_CORRUPT'],
    ['half a level', { compression: { codec: 'zstd', level: 1.5 } }, 'corrupt/CONFIG_CORRUPT'],
    ['generation 0', { generation: 0 }, 'corrupt/CONFIG_CORRUPT'],
    ['a member too few', { generation: undefined }, 'corrupt/CONFIG_CORRUPT'],
    ['a member too many', { slots: [] }, 'corrupt/CONFIG_CORRUPT'],
    ['another digest', { digest: 'sha256' }, 'unsupported/SETTING_UNSUPPORTED'],
    ['another codec', { compression: { codec: 'lz4', level: 1 } }, 'unsupported/SETTING_UNSUPPORTED'],
    ['a redundancy', { redundancy: '200+100' }, 'unsupported/SETTING_UNSUPPORTED'],
    ['keys', { keys: 'slots' }, 'unsupported/SETTING_UNSUPPORTED'],
  ])('and %s', (_, change, expected) => {
    expect(outcome(forged(change))).toBe(expected);
  });

  it.each<[string, boolean]>([
    ['1+0', true],
    ['2+1', true],
    ['100+155', true],
    ['255+0', true],
    ['101+155', false],
    ['0+1', false],
    ['02+1', false],
    ['2+01', false],
    ['2+1 ', false],
    ['a2+1', false],
    ['2', false],
    ['', false],
  ])('and the redundancy %j', (redundancy, isKnown) => {
    const config = { redundancy };
    if (isKnown) expect(decodeStoreConfig(forged(config))).toMatchObject(config);
    else {
      expect(caught(() => decodeStoreConfig(forged(config)))).toMatchObject({
        ...{ code: 'SETTING_UNSUPPORTED' },
        details: { setting: 'redundancy', actual: redundancy, expected: 'none, k+m' },
      });
    }
  });

  it('names the setting that it does not support', () => {
    const error = caught(() => decodeStoreConfig(forged({ compression: { codec: 'lz4', level: 1 } })));
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).details).toEqual({ setting: 'compression.codec', actual: 'lz4', expected: 'zstd' });
  });

  it.each([
    ['members in another order', JSON.stringify(REVERSED, undefined, 2).slice(0, -2)],
    ['other spaces', JSON.stringify(SAMPLE_CONFIG, undefined, 1).slice(0, -2)],
    ['a member that comes twice', FRONT.replace('{', '{\n  "keys": "slots",')],
    ['an escaped letter', FRONT.replace('"zstd"', '"z\\u0073td"')],
  ])('but %s is in another spelling than the one there is', (_, front) => {
    const bytes = checked(front);
    expect(JSON.parse(utf8Decode(bytes))).toMatchObject({ format: 1 });
    expect(outcome(bytes)).toBe('corrupt/CONFIG_CORRUPT');
  });

  it.each([
    ['a list', '[1'],
    ['nothing in front', ''],
    ['very deep nesting', `{"format": ${'['.repeat(50_000)}`],
  ])('but %s is no config', (_, front) => {
    expect(outcome(checked(front))).toBe('corrupt/CONFIG_CORRUPT');
  });

  it('has a largest size', () => {
    const padding = (length: number) => ({ chunking: 'x'.repeat(length) });
    const rest = forged(padding(0)).length;
    expect(outcome(forged(padding(STORE_CONFIG_BYTES_MAX - rest)))).toBe('no error');
    expect(outcome(forged(padding(STORE_CONFIG_BYTES_MAX - rest + 1)))).toBe('corrupt/CONFIG_CORRUPT');
    const larger = { ...SAMPLE_CONFIG, ...padding(STORE_CONFIG_BYTES_MAX - rest + 1) };
    expect(outcomeOf(() => encodeStoreConfig(larger))).toBe('internal/INVARIANT_BROKEN');
  });
});

describe('features of a store', () => {
  const features = { ...SAMPLE_CONFIG.features, readOnlyCompatible: ['page-index'] };

  it('that forbid writing are told, and let unknown members be read', () => {
    const config = decodeStoreConfig(forged({ features, pageIndex: 'pages/' }));
    expect(config).toEqual({ ...SAMPLE_CONFIG, features });
    expect(unknownReadOnlyFeatures(config)).toEqual(['page-index']);
    expect(unknownReadOnlyFeatures(SAMPLE_CONFIG)).toEqual([]);
  });

  it('that this version does not keep are not written', () => {
    expect(outcomeOf(() => encodeStoreConfig({ ...SAMPLE_CONFIG, features }))).toBe('unsupported/FORMAT_UNSUPPORTED');
  });

  it('come in a config of the right shape only', () => {
    const config = { ...SAMPLE_CONFIG, storeId: 'x' };
    expect(outcomeOf(() => encodeStoreConfig(config))).toBe('internal/INVARIANT_BROKEN');
  });
});
