import { describe, expect, it } from 'vitest';
import { patternBytes, SAMPLE_CHUNKS, SAMPLE_STORE } from '../../test/support/format-samples.ts';
import { buildSealed, SEALED_PACKS, sampleSchedule, TENANT } from '../../test/support/sealed-samples.ts';
import { toHex } from '../bytes/bytes.ts';
import { storeError } from '../errors/store-error.ts';
import { decodePack, type ItemIds, keyedIds, type PackKeys, type PackSeal } from '../format/index.ts';
import { blake3 } from '../hash/index.ts';
import type { ItemLocation } from '../metadata/contract.ts';
import { BorderRecord } from './border-record.ts';
import { type DamagedItem, ItemReader } from './item-reader.ts';

const SCHEDULE = sampleSchedule();
const IDS = keyedIds(SCHEDULE.idKey(TENANT));
const { header, records } = SEALED_PACKS.data;
const { bytes } = buildSealed(header, records);
const { items } = decodePack(bytes, (pack) => SCHEDULE.packKey(pack));
const SEAL: PackSeal = { namespace: header.namespace, epoch: header.epoch, salt: header.salt ?? patternBytes(32, 0) };

/** A reader of one sealed pack, as the engine sets it up. */
function reading(
  change: {
    readonly seal?: PackSeal | undefined;
    readonly ids?: ItemIds;
    /** Ids in hex whose rows in the metadata are damaged. */
    readonly damagedRows?: readonly string[];
    /** What reading a pack fails with. */
    readonly failure?: Error;
    /** The pack as the next lookup finds it; what lies on backend 1 is not there. */
    readonly moving?: (pack: object) => object;
    /** Whether all is flagged. */
    readonly suspect?: boolean;
  } = {},
) {
  const { seal = SEAL, ids = IDS } = 'seal' in change ? { ...change, seal: change.seal ?? null } : change;
  const asked: string[] = [];
  const ranges: number[] = [];
  const damaged: DamagedItem[] = [];
  const proven: string[] = [];
  const keys: PackKeys = { keyOf: async (pack) => SCHEDULE.packKey(pack) };
  const stripe = { k: 1, m: 0 };
  const pack = { number: 1, id: header.pack, class: header.class, stripe, ...(seal && { seal }) };
  const reader = new ItemReader({
    storeId: SAMPLE_STORE,
    ids,
    keys,
    locate: async (_kind, wanted) => {
      const names = toHex(wanted).match(/.{64}/g) ?? [];
      asked.push(...names);
      if (names.some((name) => change.damagedRows?.includes(name)))
        throw storeError('METADATA_CORRUPT', 'a row is damaged', { details: { table: 'items' } });
      return names.map((name) => {
        const item = items.find(({ id }) => toHex(id) === name);
        return (
          item &&
          ({
            ...item,
            pack: change.moving?.(pack) ?? pack,
            suspect: change.suspect ?? false,
          } as unknown as ItemLocation)
        );
      });
    },
    readPack: async ({ places }, { offset, length }) => {
      ranges.push(offset);
      if (change.failure) throw change.failure;
      return places?.[0] === 1 ? undefined : bytes.subarray(offset, offset + length);
    },
    onDamage: async (_kind, found) => void damaged.push(...found),
    onProven: async (kind, found) => void proven.push(...found.map(({ id }) => `${kind} ${toHex(id)}`)),
  });
  return { reader, asked, ranges, damaged, proven };
}

const WANTED = SAMPLE_CHUNKS.map((chunk) => ({ digest: blake3(chunk), length: chunk.length }));

describe('ItemReader of a sealed store', () => {
  it('is asked for digests, and looks up ids', async () => {
    const { reader, asked } = reading();
    expect(await reader.read('chunk', [...WANTED, ...WANTED])).toEqual([...SAMPLE_CHUNKS, ...SAMPLE_CHUNKS]);
    expect(asked).toEqual(WANTED.map(({ digest }) => toHex(IDS.idOf('chunk', digest))));
  });

  it('gives no other bytes than those that were asked for, though a record opens', async () => {
    const digest = blake3(SAMPLE_CHUNKS[1]);
    const id = IDS.idOf('chunk', blake3(SAMPLE_CHUNKS[0]));
    const { reader, damaged } = reading({ ids: { idOf: () => id } });
    const wanted = [{ digest, length: SAMPLE_CHUNKS[0].length }];
    await expect(reader.read('chunk', wanted)).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    expect(damaged).toMatchObject([{ digest }]);
  });

  describe('of a stream that ends one read within a record and begins the next one there', () => {
    const ordinalOf = ({ digest }: { readonly digest: Uint8Array }): number | undefined =>
      items.find(({ id }) => toHex(id) === toHex(IDS.idOf('chunk', digest)))?.ordinal;
    const shared = [...Map.groupBy(WANTED, ordinalOf).values()].find(({ length }) => length > 1);
    const [one, two] = shared as [(typeof WANTED)[number], (typeof WANTED)[number]];
    const bytesOf = (wanted: (typeof WANTED)[number]): Uint8Array =>
      SAMPLE_CHUNKS[WANTED.indexOf(wanted)] as Uint8Array;

    it('opens the record once, also when the second read is under way before the first has ended', async () => {
      const { reader, ranges } = reading();
      const border = new BorderRecord();
      const both = [reader.read('chunk', [one], { border }), reader.read('chunk', [two, one], { border })];
      const [first, second] = await Promise.all(both);
      expect(first).toEqual([bytesOf(one)]);
      expect(second).toEqual([bytesOf(two), bytesOf(one)]);
      expect(ranges).toHaveLength(1);
      first?.[0]?.fill(0);
      expect(second).toEqual([bytesOf(two), bytesOf(one)]);
      expect(await reader.read('chunk', [two], { border })).toEqual([bytesOf(two)]);
    });

    it('reads it again where whoever has the first part changed it, or where the first read failed', async () => {
      const { reader, ranges, damaged } = reading();
      const border = new BorderRecord();
      const [bytes] = await reader.read('chunk', [one, two], { border });
      bytes?.fill(0);
      expect(await reader.read('chunk', [one], { border })).toEqual([bytesOf(one)]);
      expect([ranges.length, damaged]).toEqual([2, []]);
      const failing = reading({ failure: storeError('BACKEND_IO', 'no answer') });
      const other = new BorderRecord();
      const results = [one, two].map((wanted) => failing.reader.read('chunk', [wanted], { border: other }));
      const ended = await Promise.allSettled(results);
      expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    });
  });

  it('looks again for a pack whose shards moved on its way, and flags nothing', async () => {
    const places = [[1], [2]];
    const moving = (pack: object): object => ({ ...pack, places: places.length > 1 ? places.shift() : places[0] });
    const { reader, damaged } = reading({ moving });
    expect(await reader.read('chunk', WANTED.slice(0, 1))).toEqual(SAMPLE_CHUNKS.slice(0, 1));
    expect(damaged).toEqual([]);
  });

  it('tells what is flagged and proven, of all that it reads, and nothing else', async () => {
    const [one, other] = WANTED;
    const names = [one, other].map((wanted) => `chunk ${toHex(IDS.idOf('chunk', wanted?.digest ?? new Uint8Array()))}`);
    const flagged = reading({ suspect: true });
    await flagged.reader.read('chunk', WANTED.slice(0, 2));
    expect(flagged.proven).toEqual(names);
    const sound = reading();
    await sound.reader.read('chunk', WANTED);
    expect(sound.proven).toEqual([]);
    const { reader, proven } = reading({
      suspect: true,
      ids: { idOf: () => IDS.idOf('chunk', WANTED[1]?.digest ?? new Uint8Array()) },
    });
    await expect(reader.read('chunk', WANTED.slice(0, 1))).rejects.toMatchObject({ code: 'CHUNK_CORRUPT' });
    expect(proven).toEqual([]);
  });

  it('finds nothing of another namespace', async () => {
    const { reader } = reading({ ids: keyedIds(SCHEDULE.idKey(0)) });
    await expect(reader.read('chunk', WANTED)).rejects.toMatchObject({ code: 'CHUNK_MISSING' });
  });

  it.each<[string, PackSeal | undefined]>([
    ['another salt', { ...SEAL, salt: patternBytes(32, 99) }],
    ['another epoch', { ...SEAL, epoch: 1 }],
    ['no seal', undefined],
  ])('opens no record of a pack that is said to have %s, and flags it by its id', async (_, seal) => {
    const { reader, damaged } = reading({ seal });
    await expect(reader.read('chunk', WANTED)).rejects.toMatchObject({
      code: 'CHUNK_CORRUPT',
      details: { digest: `blake3:${toHex(blake3(SAMPLE_CHUNKS[0]))}` },
    });
    expect(toHex(damaged[0]?.id ?? header.pack)).toBe(toHex(IDS.idOf('chunk', blake3(SAMPLE_CHUNKS[0]))));
  });
});

describe('reading each of several items', () => {
  it('gives what read gives where all is well, in the order asked', async () => {
    const { reader } = reading();
    const wanted = [...WANTED, ...WANTED];
    expect(await reader.readEach('chunk', wanted)).toEqual(await reader.read('chunk', wanted));
    expect(await reader.readEach('chunk', [])).toEqual([]);
  });

  it('has an error in the place of what is missing, has another length or a damaged row', async () => {
    const absent = { digest: new Uint8Array(32), length: 5 };
    const [first, second, ...others] = WANTED as [(typeof WANTED)[0], (typeof WANTED)[0]];
    const damagedRows = [toHex(IDS.idOf('chunk', second.digest))];
    const { reader, damaged } = reading({ damagedRows });
    const wanted = [absent, { ...first, length: first.length + 1 }, second, ...others];
    const found = await reader.readEach('chunk', wanted);
    expect(found).toMatchObject([
      { code: 'CHUNK_MISSING' },
      { code: 'CHUNK_CORRUPT' },
      { code: 'METADATA_CORRUPT' },
      ...SAMPLE_CHUNKS.slice(2),
    ]);
    // Told once of each, however often the batch was looked up.
    expect(damaged.map(({ error }) => error.code)).toEqual(['CHUNK_MISSING']);
  });

  it('goes on past packs that cannot be opened, and stops at what says nothing of them', async () => {
    const sealed = reading({ seal: { ...SEAL, salt: patternBytes(32, 99) } });
    const found = await sealed.reader.readEach('chunk', WANTED);
    expect(found.map((one) => (one as { code?: string }).code)).toEqual(WANTED.map(() => 'CHUNK_CORRUPT'));
    expect(sealed.damaged).toHaveLength(WANTED.length);
    const away = reading({ failure: storeError('BACKEND_UNREACHABLE', 'away', { details: { backend: 'b1' } }) });
    expect(await away.reader.readEach('chunk', WANTED)).toMatchObject(
      WANTED.map(() => ({ code: 'BACKEND_UNREACHABLE' })),
    );
    expect(away.damaged).toEqual([]);
    const broken = reading({ failure: new TypeError('a defect') });
    await expect(broken.reader.readEach('chunk', WANTED)).rejects.toBeInstanceOf(TypeError);
  });
});
