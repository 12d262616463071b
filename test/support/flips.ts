/** Single bits flipped in the files of a store at one place, and who notices. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import {
  decodeKeyPage,
  decodeStoreConfig,
  encodeStripe,
  JOURNAL_PREFIX,
  KEY_PAGES_PREFIX,
  openRecord,
  PACKS_PREFIX,
  RECORD_TRAILER_BYTES,
  STORE_CONFIG_KEY,
  shardKey,
  verifyShard,
} from '../../src/format/index.ts';
import { allPacks } from '../../src/maintenance/all-packs.ts';
import type { PackRow } from '../../src/metadata/contract.ts';
import type { Engine } from '../../src/store/engine.ts';
import { unlockConfig } from '../../src/store/unlock.ts';
import { type SeededRandom, seededRandom } from '../../src/testing/index.ts';
import { honest, type KnownEntry, readEverything, type StoreImage } from './sealed-store.ts';

/** How many flips each reader noticed, by what was flipped and who noticed. */
export type FlipFigures = Map<string, number>;

/** What is flipped, how often, and what must be read whatever is flipped. */
export interface FlipRun {
  readonly image: StoreImage;
  readonly known: readonly KnownEntry[];
  /** What lists may show. Default: what is read. */
  readonly listed?: readonly KnownEntry[];
  readonly count: number;
  readonly seed: number;
  /**
   * Of blobs: everything is read, and the store checked, after each of so many flips; others are shown to one reader only.
   * Of metadata, where everything is always read: the store is checked after each of so many.
   */
  readonly readEvery: number;
}

/** Opens everything there is in a pack: what proves every byte of it. @returns the code it is refused with, if it is */
export async function packRefusal(engine: Engine, row: PackRow): Promise<string | undefined> {
  const { code } = await honest(async () => {
    const pack = await engine.packs.openWhole(row);
    if (pack === undefined) throw new Error('the pack is there');
    for (const item of pack.items) {
      const end = item.offset + item.storedLength + RECORD_TRAILER_BYTES;
      openRecord(pack.identity, item, pack.bytes.subarray(item.offset, end));
    }
  });
  return code;
}

/** Other bytes: all of these but for one bit. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** A shard whose pack has a flipped bit and whose digests are right again: what somebody without keys can make. */
function mended(blob: Uint8Array, random: SeededRandom): Uint8Array {
  const { header, data } = verifyShard(blob);
  const { store, pack, stripeId } = header;
  return encodeStripe(flipped(data, random.integer(8 * data.length)), { store, pack, stripeId }).shards[0];
}

/**
 * Flips bits of blobs, one at a time: config, key pages, shards of all classes; every second shard is mended.
 * @throws at the first flip that nobody notices, or that gives wrong bytes
 */
export async function flipBlobs({ image, known, count, seed, readEvery }: FlipRun): Promise<FlipFigures> {
  const random = seededRandom(seed);
  const figures: FlipFigures = new Map();
  const { engine } = await image.open();
  const rows = new Map((await Array.fromAsync(allPacks(image.metadata))).map((row) => [shardKey(row, 0), row]));
  // What a merge has left to be deleted belongs to nobody any more.
  const keys = image.keys('').filter((key) => rows.has(key) || !/^(packs|journal)/.test(key));
  for (let done = 0; done < count; done += 1) {
    const key = keys[done % keys.length] ?? '';
    const row = rows.get(key);
    const blob = image.blob(key);
    const isMended = row !== undefined && random.integer(2) === 0;
    const changed = isMended ? mended(blob, random) : flipped(blob, random.integer(8 * blob.length));
    const code = await image.with({ [key]: changed }, async () => {
      if (done % readEvery === 0) await readAll({ image, known });
      if (row) return await packRefusal(engine, row);
      return await (key === STORE_CONFIG_KEY ? configRefusal(image, changed) : pageRefusal(engine, key, changed));
    });
    if (code === undefined) throw new Error(`flip ${done} of seed ${seed}: nobody notices a bit of ${key}`);
    const what = `${whatIs(key)}${isMended ? ', digests mended' : ''}: ${code}`;
    figures.set(what, (figures.get(what) ?? 0) + 1);
  }
  return figures;
}

function whatIs(key: string): string {
  if (key === STORE_CONFIG_KEY) return 'config, read by whoever opens the store';
  if (key.startsWith(KEY_PAGES_PREFIX)) return 'key page, read with its entry';
  if (key.startsWith(JOURNAL_PREFIX)) return 'journal pack, read whole';
  return key.startsWith(PACKS_PREFIX) ? 'pack, read whole' : key;
}

async function configRefusal({ keySource }: StoreImage, bytes: Uint8Array): Promise<string | undefined> {
  return (await honest(() => unlockConfig(decodeStoreConfig(bytes), keySource))).code;
}

async function pageRefusal({ keychain }: Engine, key: string, bytes: Uint8Array): Promise<string | undefined> {
  const namespace = Number.parseInt(key.slice(KEY_PAGES_PREFIX.length), 16);
  const { code } = await honest(async () => {
    if (keychain) decodeKeyPage(bytes, namespace, keychain.schedule);
  });
  return code;
}

/**
 * What a new process reads, and what the store says of itself.
 * @param check `always`, or only when something was not found, which it must be able to explain
 * @returns codes of what was refused
 */
async function readAll(
  { image, known, listed }: Pick<FlipRun, 'image' | 'known' | 'listed'>,
  check: 'always' | 'when missed' = 'always',
): Promise<ReadonlySet<string>> {
  const opened = await honest(() => image.open());
  if (opened.value === undefined) return new Set([`${opened.code}`]);
  const { store } = opened.value;
  const codes = new Set(await readEverything(store, known, listed));
  if (check === 'when missed' && !isMissed(codes)) return codes;
  const report = await honest(() => store.maintenance.check());
  if (report.code !== undefined) codes.add(report.code);
  for (const { code } of report.value?.problems ?? []) codes.add(`check: ${code}`);
  return codes;
}

/** Whether something is said not to be there, which is no damage by itself. */
function isMissed(codes: ReadonlySet<string>): boolean {
  return codes.has('ENTRY_NOT_FOUND') || codes.has('NAMESPACE_NOT_FOUND') || codes.has('name missing');
}

/**
 * Flips bits of a metadata file, or of its log, in place. A flip may be harmless: not every byte of a database means
 * something. An entry that is not found any more must be missed by the check.
 * @throws at the first flip that gives wrong bytes, or hides something without a trace
 */
export async function flipFile(file: string, run: FlipRun): Promise<FlipFigures> {
  const { image, count, seed, readEvery } = run;
  const random = seededRandom(seed);
  const figures: FlipFigures = new Map();
  const pristine = readFileSync(file);
  for (let done = 0; done < count; done += 1) {
    const bit = random.integer(8 * pristine.length);
    await image.metadata.close();
    writeByte(file, bit >> 3, (pristine[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    const reopened = await honest(() => image.reopenMetadata());
    const check = done % readEvery === 0 ? 'always' : 'when missed';
    const codes = reopened.code ? new Set([reopened.code]) : await readAll(run, check);
    if (isMissed(codes) && ![...codes].some((code) => code.startsWith('check: ') || code === 'METADATA_CORRUPT'))
      throw new Error(`flip ${done} of seed ${seed}: bit ${bit} hides something, and the check says nothing`);
    await image.metadata.close();
    await restore(file, pristine);
    const what = codes.size === 0 ? 'harmless' : 'noticed';
    figures.set(what, (figures.get(what) ?? 0) + 1);
  }
  await image.reopenMetadata();
  return figures;
}

function writeByte(file: string, position: number, byte: number): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, Uint8Array.of(byte), 0, 1, position);
  closeSync(handle);
}

/** The index of the log is made anew from the log. */
async function restore(file: string, pristine: Uint8Array): Promise<void> {
  rmSync(`${file.replace(/-wal$/, '')}-shm`, { force: true });
  if (!file.endsWith('-wal')) rmSync(`${file}-wal`, { force: true });
  await writeFile(file, pristine);
}
