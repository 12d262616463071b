/** Every blob and every part of a pack in the place of every other one of its kind. */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, equalBytes } from '../../src/bytes/bytes.ts';
import {
  decodePackHeader,
  encodePackHeader,
  encodeStripe,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackHeader,
  RECORD_TRAILER_BYTES,
  shardKey,
  verifyShard,
} from '../../src/format/index.ts';
import { allPacks } from '../../src/maintenance/all-packs.ts';
import type { PackRow } from '../../src/metadata/contract.ts';
import type { WholePack } from '../../src/placement/pack-store.ts';
import type { Engine } from '../../src/store/engine.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { packRefusal } from '../support/flips.ts';
import { honest, makeSampleStore, readEverything, StoreImage, sampleEntries } from '../support/sealed-store.ts';

/** A pack with where it lies. */
interface Target {
  readonly row: PackRow;
  readonly key: string;
  readonly pack: WholePack;
}

const KNOWN = sampleEntries();
const folders: TemporaryFolder[] = [];
const images: StoreImage[] = [];
let engine: Engine;
let targets: readonly Target[];
/** Of the other store, which the same key opens. */
let foreign: readonly Target[];

async function packsOf(opened: Engine): Promise<readonly Target[]> {
  const rows = await Array.fromAsync(allPacks(opened.metadata));
  return await Promise.all(
    rows.map(async (row) => {
      const pack = await opened.packs.openWhole(row);
      if (pack === undefined) throw new Error('a pack of the sample store is gone');
      return { row, key: shardKey(row, 0), pack };
    }),
  );
}

async function sampleImage(seed: number): Promise<StoreImage> {
  const folder = await makeTemporaryFolder();
  folders.push(folder);
  await makeSampleStore(folder.path, seed);
  const image = await StoreImage.of(folder.path);
  images.push(image);
  return image;
}

beforeAll(async () => {
  const [ours, theirs] = [await sampleImage(1), await sampleImage(101)];
  ({ engine } = await ours.open());
  targets = await packsOf(engine);
  foreign = await packsOf((await theirs.open()).engine);
});

afterAll(async () => {
  for (const image of images) await image.close();
  for (const folder of folders) await folder.remove();
});

function image(index = 0): StoreImage {
  const one = images[index];
  if (one === undefined) throw new Error('the sample stores are made before tests run');
  return one;
}

/** Any pack framed as the shard of `target`: its digests are public, so whoever can write the folder can mend them. */
function framedAs(target: Target, bytes: Uint8Array): Uint8Array {
  const { store, pack, stripeId } = verifyShard(image().blob(target.key)).header;
  return encodeStripe(bytes, { store, pack, stripeId }).shards[0];
}

function pairs<T>(ones: readonly T[], others: readonly T[]): readonly (readonly [T, T])[] {
  return ones.flatMap((one) => others.filter((other) => other !== one).map((other) => [one, other] as const));
}

/** Where the directory of a pack begins. */
function directoryStart({ pack }: Target): number {
  return Math.max(
    PACK_HEADER_BYTES,
    ...pack.items.map((item) => item.offset + item.storedLength + RECORD_TRAILER_BYTES),
  );
}

const REFUSALS = ['PACK_CORRUPT', 'SHARD_CORRUPT', 'EPOCH_UNKNOWN', 'NAMESPACE_KEY_GONE', 'KEY_PAGE_MISSING'];

/** Puts each forgery in its place. @returns how many there were; fails for the first that is not refused */
async function allRefused(forgeries: Iterable<{ target: Target; blob: Uint8Array; what: string }>): Promise<number> {
  let count = 0;
  for (const { target, blob, what } of forgeries) {
    const refusal = await image().with({ [target.key]: blob }, () => packRefusal(engine, target.row));
    expect(REFUSALS, `${what} as ${target.key}`).toContain(refusal);
    count += 1;
  }
  return count;
}

describe('the sample store', () => {
  it('has packs of every class, two namespaces and those of isolated entries, two epochs, and is whole', async () => {
    expect(new Set(targets.map(({ row }) => row.class))).toEqual(new Set(['data', 'meta', 'journal']));
    expect(new Set(targets.map(({ row }) => row.seal?.epoch))).toEqual(new Set([1, 2]));
    expect(new Set(targets.map(({ row }) => row.seal?.namespace)).size).toBe(4);
    for (const { row } of targets) expect(await packRefusal(engine, row)).toBeUndefined();
    const { store } = await image().open();
    expect(await readEverything(store, KNOWN)).toEqual(new Set());
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok' });
  });
});

describe('a pack in the place of another', () => {
  it('is refused as it is, of this store or of another one', async () => {
    const forged = pairs(targets, [...targets, ...foreign]).map(([target, other]) => {
      const holder = targets.includes(other) ? image(0) : image(1);
      return { target, blob: holder.blob(other.key), what: other.key };
    });
    expect(await allRefused(forged)).toBeGreaterThan(300);
  });

  it('is refused in a shard that says it belongs there', async () => {
    const forged = pairs(targets, [...targets, ...foreign]).map(([target, other]) => {
      return { target, blob: framedAs(target, other.pack.bytes), what: other.key };
    });
    expect(await allRefused(forged)).toBeGreaterThan(300);
  });

  it('is refused behind the header of the one that belongs there', async () => {
    const forged = pairs(targets, [...targets, ...foreign]).map(([target, other]) => {
      const header = target.pack.bytes.subarray(0, PACK_HEADER_BYTES);
      const bytes = concatBytes([header, other.pack.bytes.subarray(PACK_HEADER_BYTES)]);
      return { target, blob: framedAs(target, bytes), what: `the inside of ${other.key}` };
    });
    expect(await allRefused(forged)).toBeGreaterThan(300);
  });

  it('is refused with a header that says its own class, namespace, epoch or salt is another', async () => {
    const forged = pairs(targets, targets).flatMap(([target, other]) => {
      const mine = decodePackHeader(target.pack.bytes);
      const theirs = decodePackHeader(other.pack.bytes);
      const fields = ['class', 'namespace', 'epoch', 'salt'] as const;
      return fields
        .filter((field) => !isSame(mine[field], theirs[field]))
        .map((field) => {
          const header = encodePackHeader({ ...mine, [field]: theirs[field] } as PackHeader);
          const bytes = concatBytes([header, target.pack.bytes.subarray(PACK_HEADER_BYTES)]);
          return { target, blob: framedAs(target, bytes), what: `${field} of ${other.key}` };
        });
    });
    expect(await allRefused(forged)).toBeGreaterThan(300);
  });

  it('never gives wrong bytes, is no crash, and check tells of it', async () => {
    for (const [index, target] of targets.entries()) {
      const other = targets[(index + 1) % targets.length] ?? target;
      const blob = framedAs(target, other.pack.bytes);
      await image().with({ [target.key]: blob }, async () => {
        const { store } = await image().open();
        await readEverything(store, KNOWN);
        expect((await store.maintenance.check()).outcome, target.key).toBe('damaged');
      });
    }
  });
});

describe('part of a pack in the place of another one', () => {
  it('is refused: footers, directories with footers, and everything in front of them', async () => {
    const forged = pairs(targets, [...targets, ...foreign]).flatMap(([target, other]) => {
      const [mine, theirs] = [target.pack.bytes, other.pack.bytes];
      const footer = concatBytes([mine.subarray(0, -PACK_FOOTER_BYTES), theirs.subarray(-PACK_FOOTER_BYTES)]);
      const [mineEnd, theirEnd] = [directoryStart(target), directoryStart(other)];
      const directory = concatBytes([mine.subarray(0, mineEnd), theirs.subarray(theirEnd)]);
      return [
        { target, blob: framedAs(target, footer), what: `the footer of ${other.key}` },
        { target, blob: framedAs(target, directory), what: `the directory of ${other.key}` },
      ];
    });
    expect(await allRefused(forged)).toBeGreaterThan(600);
  });

  it('is refused: every record that has the length of another, in its own pack too', async () => {
    const forged = targets.flatMap((target) =>
      recordsOf(target).flatMap((place) =>
        [...targets, ...foreign].flatMap((source) =>
          recordsOf(source)
            .filter((found) => found.length === place.length && !(source === target && found.start === place.start))
            .map((found) => {
              const bytes = target.pack.bytes.slice();
              bytes.set(source.pack.bytes.subarray(found.start, found.start + found.length), place.start);
              return { target, blob: framedAs(target, bytes), what: `a record of ${source.key}` };
            }),
        ),
      ),
    );
    expect(await allRefused(forged)).toBeGreaterThan(10);
    const within = targets.some(
      (one) => new Set(recordsOf(one).map(({ length }) => length)).size < recordsOf(one).length,
    );
    expect(within, 'a pack with two records of one length').toBe(true);
  });

  it('is refused: a pack cut short or made longer, in a shard that fits', async () => {
    const forged = targets.flatMap((target) => {
      const { bytes } = target.pack;
      const longer = concatBytes([bytes.subarray(0, -PACK_FOOTER_BYTES), bytes.subarray(-2 * PACK_FOOTER_BYTES)]);
      return [bytes.subarray(0, -PACK_FOOTER_BYTES), bytes.subarray(0, -1), longer].map((changed) => {
        return { target, blob: framedAs(target, changed), what: `${changed.length} bytes` };
      });
    });
    expect(await allRefused(forged)).toBe(3 * targets.length);
  });
});

describe('the key page of an isolated entry', () => {
  it('is refused in the place of another, of this store or of another one', async () => {
    const own = image().keys('keys/');
    const others = [
      ...own.map((key) => image().blob(key)),
      ...image(1)
        .keys('keys/')
        .map((key) => image(1).blob(key)),
    ];
    expect(own).toHaveLength(2);
    for (const key of own) {
      for (const page of others.filter((one) => !equalBytes(one, image().blob(key)))) {
        await image().with({ [key]: page }, async () => {
          const { store } = await image().open();
          const codes = await readEverything(store, KNOWN);
          expect(codes).toEqual(new Set(['KEY_PAGE_CORRUPT']));
          expect((await store.maintenance.check()).outcome).toBe('damaged');
        });
      }
    }
  });
});

describe('the metadata of another store', () => {
  it('is refused, though the same key opens both', async () => {
    const copy = await makeTemporaryFolder();
    folders.push(copy);
    const [ours, theirs] = folders;
    await cp(`${ours?.path}`, copy.path, { recursive: true });
    await cp(`${theirs?.path}/.metadata`, `${copy.path}/.metadata`, { recursive: true });
    expect(await honest(() => StoreImage.of(copy.path))).toEqual({ code: 'METADATA_CORRUPT' });
  });
});

function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return equalBytes(one, other);
  return one === other;
}

/** Where the records of a pack lie, trailers included. */
function recordsOf({ pack }: Target): readonly { readonly start: number; readonly length: number }[] {
  const places = pack.items.map(({ offset, storedLength }) => [offset, storedLength + RECORD_TRAILER_BYTES] as const);
  return [...new Map(places)].map(([start, length]) => ({ start, length }));
}
