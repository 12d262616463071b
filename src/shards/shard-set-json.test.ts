import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { StoreError } from '../errors/store-error.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { encodeShardSet } from './encode-shard-set.ts';
import type { ShardSet } from './shard-set.ts';
import { formatShardSet, parseShardSet } from './shard-set-json.ts';

const SET: ShardSet = {
  ...encodeShardSet(
    utf8Encode('belief data to protect'),
    { k: 3, m: 2 },
    {
      subject: 'a subject',
      random: seededRandom(1).bytes,
      clock: { now: () => 0, monotonicMs: () => 0 },
    },
  ),
};
const PLACED: ShardSet = {
  ...SET,
  shards: SET.shards.map((shard, index) => ({
    ...shard,
    bytes: index === 2 ? undefined : shard.bytes,
    ...(index === 1 && { location: { backend: 'attic', key: 'a/b' } }),
  })),
};
const DOCUMENT = JSON.parse(formatShardSet(PLACED));

describe('the JSON of a shard set', () => {
  it('reads back, with what is missing and where things lie', () => {
    expect(parseShardSet(formatShardSet(SET))).toEqual(SET);
    expect(parseShardSet(formatShardSet(PLACED))).toEqual(PLACED);
  });

  it('reads back for any content', () => {
    const shapes = fc.record({
      content: fc.uint8Array({ maxLength: 100 }),
      k: fc.integer({ min: 1, max: 6 }),
      m: fc.integer({ min: 0, max: 6 }),
      algorithm: fc.constantFrom('blake3' as const, 'sha256' as const),
    });
    fc.assert(
      fc.property(shapes, ({ content, algorithm, ...redundancy }) => {
        const set = encodeShardSet(content, redundancy, { algorithm });
        expect(parseShardSet(formatShardSet(set))).toEqual(set);
      }),
    );
  });

  it('has the documented fields', () => {
    expect(Object.keys(DOCUMENT)).toEqual([
      ...['type', 'version', 'id', 'redundancy', 'size', 'digest', 'root', 'contentType', 'subject', 'created'],
      ...['verified', 'shards'],
    ]);
    expect(DOCUMENT).toMatchObject({ redundancy: '3+2', size: 22, created: '1970-01-01T00:00:00.000Z' });
    expect(DOCUMENT.shards[2].bytes).toBeNull();
    expect(DOCUMENT.shards[1].location).toEqual({ backend: 'attic', key: 'a/b' });
  });

  it.each<[string, object]>([
    ['type', { type: 'holdfast identity' }],
    ['id', { id: 'ABCD' }],
    ['redundancy', { redundancy: '0+2' }],
    ['redundancy', { redundancy: 5 }],
    ['size', { size: -1 }],
    ['size', { size: 1e300 }],
    ['digest', { digest: 'blake3:12' }],
    ['digest', { digest: 'nothing' }],
    ['root', { digest: `sha512:${'0'.repeat(128)}` }],
    ['root', { root: `sha256:${'0'.repeat(64)}` }],
    ['contentType', { contentType: null }],
    ['created', { created: '1970-01-01' }],
    ['shards', { shards: DOCUMENT.shards.slice(1) }],
    ['shards', { shards: Array(256).fill(DOCUMENT.shards[0]) }],
    ['shards.0.digest', { shards: [{ ...DOCUMENT.shards[0], digest: 'x' }, ...DOCUMENT.shards.slice(1)] }],
    ['shards.0.bytes', { shards: [{ ...DOCUMENT.shards[0], bytes: 'QQ' }, ...DOCUMENT.shards.slice(1)] }],
    ['shards.0.bytes', { shards: [{ digest: DOCUMENT.shards[0].digest }, ...DOCUMENT.shards.slice(1)] }],
    ['shards.0', { shards: [{ ...DOCUMENT.shards[0], more: 1 }, ...DOCUMENT.shards.slice(1)] }],
    ['value', { unknown: 1 }],
  ])('is refused with another %s', (field, change) => {
    const error = caught(() => parseShardSet(JSON.stringify({ ...DOCUMENT, ...change })));
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ kind: 'invalid', code: 'SHARD_SET_INVALID', details: { setting: field } });
  });

  it.each(
    Object.keys(DOCUMENT).filter((field) => !['subject', 'verified'].includes(field)),
  )('is refused without its %s', (field) => {
    const { [field]: _, ...rest } = DOCUMENT;
    expect(outcomeOf(() => parseShardSet(JSON.stringify(rest)))).toBe('invalid/SHARD_SET_INVALID');
  });

  it('of a later version is unsupported, not wrong', () => {
    const later = JSON.stringify({ ...DOCUMENT, version: 2, redundancy: { more: 'than today' } });
    expect(outcomeOf(() => parseShardSet(later))).toBe('unsupported/FORMAT_UNSUPPORTED');
  });

  it.each(['', '{', 'null', '[]', '5', '{"version":2}'])('is not %j', (text) => {
    expect(outcomeOf(() => parseShardSet(text))).toBe('invalid/SHARD_SET_INVALID');
  });

  it('is text, and its errors do not quote it', () => {
    expect(() => parseShardSet(5 as never)).toThrow(TypeError);
    const error = caught(() => parseShardSet('{"secret-words": tru')) as Error;
    expect(error.message).not.toMatch(/secret/);
    expect(error.cause).toBeUndefined();
  });

  it('is a set or an error for any changed character', () => {
    const text = formatShardSet(PLACED);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.string({ unit: 'grapheme-ascii', minLength: 0, maxLength: 2 }),
        (at, put) => {
          const outcome = outcomeOf(() => parseShardSet(text.slice(0, at) + put + text.slice(at + 1)));
          expect(['no error', 'invalid/SHARD_SET_INVALID', 'unsupported/FORMAT_UNSUPPORTED']).toContain(outcome);
        },
      ),
    );
  });
});
