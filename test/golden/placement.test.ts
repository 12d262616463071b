/**
 * Golden files of stores with several backends: configs that name them, the marker of one, and packs as stripes with
 * parity and as copies. They are only ever added to: `HOLDFAST_GOLDEN=write npx vitest run test/golden`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { utf8Decode, utf8Encode } from '../../src/bytes/bytes.ts';
import {
  type ConfigPlacement,
  decodeBackendMarker,
  decodePack,
  decodeStoreConfig,
  encodeBackendMarker,
  encodeStoreConfig,
  PackBuilder,
  PLACEMENT_FEATURE,
  type SealedStoreConfig,
  verifyShard,
} from '../../src/format/index.ts';
import { createSealed, formatKey, parseKey, unlock } from '../../src/keys/index.ts';
import { encodeStripe } from '../../src/placement/encode-stripe.ts';
import { seededRandom } from '../../src/testing/index.ts';
import {
  itemsOf,
  packHeader,
  patternBytes,
  SAMPLE_CONFIG,
  SAMPLE_STORE,
  SAMPLE_STRIPE_ID,
} from '../support/format-samples.ts';
import { keyContext, sealedBase } from '../support/sealed.ts';
import { formatHex, parseHex, samplePack } from './format-files.ts';
import { openConfig } from './stranger-keys.ts';
import { readConfigCheck, readPack, readShard } from './stranger-reader.ts';
import { joinShards } from './stranger-stripe.ts';

const FOLDER = path.resolve(import.meta.dirname, 'v1/placement');

const hex = (seed: number): string => Buffer.from(patternBytes(16, seed)).toString('hex');
const PLACEMENT: ConfigPlacement = {
  nextNumber: 8,
  backends: [
    { number: 1, id: hex(91), name: 'main', url: 'file:///srv/home', domain: 'main', weight: 0, mode: 'active' },
    { number: 3, id: hex(93), name: 'disk-3', url: 'file:///mnt/a', domain: 'shelf', weight: 2, mode: 'read-only' },
    { number: 7, id: hex(97), name: 'passed', url: '', domain: 'shelf', weight: 1000, mode: 'draining' },
  ],
  map: [3, 7, 3],
};
const SPREAD = { features: { ...SAMPLE_CONFIG.features, incompatible: [PLACEMENT_FEATURE] }, redundancy: '3+2' };
const CONFIG = { ...SAMPLE_CONFIG, ...SPREAD, placement: PLACEMENT };
const MARKER = { storeId: SAMPLE_CONFIG.storeId, backendId: hex(93) };

/** The smallest that is not copied has 64 KiB. */
const LARGE_CHUNK = seededRandom(9).bytes(65_700);

function largePack(): Uint8Array {
  const builder = new PackBuilder(packHeader('data', 9));
  const items = itemsOf(LARGE_CHUNK);
  builder.add({ kind: 'chunk', codec: 0, plainLength: LARGE_CHUNK.length, stored: LARGE_CHUNK, items });
  return new Uint8Array(builder.finish().bytes);
}

function shardsOf(pack: Uint8Array, ordinal: number, [k, m]: readonly [number, number]): readonly Uint8Array[] {
  const identity = { store: SAMPLE_STORE, pack: packHeader('data', ordinal).pack, stripeId: SAMPLE_STRIPE_ID };
  return encodeStripe({ bytes: pack }, identity, { k, m }).shards;
}

const COPIES = ['copy-0.hex', 'copy-1.hex', 'copy-2.hex'];
const SHARDS = ['shard-0.bin', 'shard-1.bin', 'shard-2.bin', 'shard-3.bin', 'shard-4.bin'];
/** Made with randomness that nobody can repeat. */
const SEALED = ['sealed-config.txt', 'sealed.key'];

/** What this version writes, by file name. */
function makeFiles(): ReadonlyMap<string, Uint8Array> {
  const text = new Map<string, Uint8Array>([
    ['store-config.txt', encodeStoreConfig(CONFIG)],
    ['backend-marker.txt', encodeBackendMarker(MARKER)],
  ]);
  const copies = shardsOf(samplePack('data'), 1, [3, 2]).map((shard) => utf8Encode(formatHex(shard)));
  for (const [at, name] of COPIES.entries()) text.set(name, copies[at] ?? new Uint8Array());
  for (const [at, shard] of shardsOf(largePack(), 9, [3, 2]).entries()) text.set(SHARDS[at] ?? '', shard);
  return text;
}

async function makeSealed(): Promise<readonly [config: Uint8Array, key: Uint8Array]> {
  const context = keyContext(4);
  const key = context.random(32);
  const { config } = await createSealed({ ...sealedBase(), ...SPREAD, placement: PLACEMENT }, [{ key }], context);
  return [encodeStoreConfig(config), formatKey(key)];
}

if (process.env.HOLDFAST_GOLDEN === 'write' && !existsSync(FOLDER)) {
  mkdirSync(FOLDER, { recursive: true });
  const [config, key] = await makeSealed();
  const files = [...makeFiles(), [SEALED[0], config] as const, [SEALED[1], key] as const];
  for (const [name, bytes] of files) writeFileSync(path.join(FOLDER, name ?? ''), bytes);
}

const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(FOLDER, name)));
const goldenText = (name: string): string => utf8Decode(golden(name));

describe('the golden files of placement', () => {
  it('are all there, and what is still written', () => {
    const made = makeFiles();
    expect(readdirSync(FOLDER).sort()).toEqual([...made.keys(), ...SEALED].sort());
    for (const [name, bytes] of made) expect(Buffer.compare(golden(name), bytes), name).toBe(0);
  });

  it('hold the values they were made of', () => {
    expect(decodeStoreConfig(golden('store-config.txt'))).toEqual(CONFIG);
    expect(decodeBackendMarker(golden('backend-marker.txt'))).toEqual(MARKER);
    for (const [index, name] of SHARDS.entries()) {
      expect(verifyShard(golden(name)).header).toMatchObject({ index, k: 3, m: 2, matrix: 1 });
    }
    for (const [index, name] of COPIES.entries()) {
      expect(verifyShard(parseHex(goldenText(name)))).toMatchObject({
        header: { index, k: 1, m: 2, matrix: 0 },
        data: samplePack('data'),
      });
    }
  });

  it('hold a sealed config that opens, and is spelled as this version spells it', async () => {
    const config = decodeStoreConfig(golden('sealed-config.txt')) as SealedStoreConfig;
    expect(config.placement).toEqual(PLACEMENT);
    const keyring = await unlock(config, { key: parseKey(golden('sealed.key')) });
    expect(keyring.epochs).toHaveLength(1);
    expect(utf8Decode(encodeStoreConfig(config))).toBe(goldenText('sealed-config.txt'));
  });
});

describe('a reader written from docs/format.md alone', () => {
  it('joins a pack from any three of its five shards', () => {
    const shards = SHARDS.map((name) => readShard(golden(name)));
    const pack = largePack();
    let sets = 0;
    for (let bits = 0; bits < 32; bits += 1) {
      const chosen = shards.filter(({ index }) => (bits >> index) & 1);
      if (chosen.length !== 3) continue;
      sets += 1;
      expect(Buffer.compare(joinShards(chosen, pack.length), pack), `${chosen.map(({ index }) => index)}`).toBe(0);
    }
    expect(sets).toBe(10);
    const [item] = readPack(pack, (_, stored) => stored);
    expect(Buffer.from(item?.plain ?? []).equals(LARGE_CHUNK)).toBe(true);
    expect(decodePack(pack).items).toHaveLength(1);
  });

  it('takes any copy of a small one', () => {
    for (const name of COPIES) {
      const copy = readShard(parseHex(goldenText(name)));
      expect(Buffer.compare(joinShards([copy], copy.data.length), samplePack('data'))).toBe(0);
    }
  });

  it('reads which backends there are', () => {
    const text = goldenText('store-config.txt');
    expect(readConfigCheck(text)).toBe(true);
    const config = JSON.parse(text);
    expect(Object.keys(config).slice(7, 10)).toEqual(['redundancy', 'placement', 'keys']);
    expect(Object.keys(config.placement)).toEqual(['nextNumber', 'backends', 'map']);
    const members = ['number', 'id', 'name', 'url', 'domain', 'weight', 'mode'];
    for (const backend of config.placement.backends) expect(Object.keys(backend)).toEqual(members);
    const marker = JSON.parse(goldenText('backend-marker.txt'));
    expect(marker).toEqual({ format: 1, storeId: config.storeId, backendId: config.placement.backends[1].id });
    const secret = { type: 'key-file', bytes: parseKey(golden('sealed.key')) } as const;
    expect(openConfig(goldenText('sealed-config.txt'), secret).masterKey).toHaveLength(32);
  });
});
