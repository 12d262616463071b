/** No pair of key and nonce comes twice: over a million seals, reopened, forked, restored, re-sealed and merged stores. */
import { cp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFsBackend } from '../../src/backend/open-fs-backend.ts';
import { sealAead } from '../../src/crypto/aead.ts';
import { EnvelopeSealer } from '../../src/crypto/envelope.ts';
import { decodeStoreConfig, PackBuilder, type PackRecord, STORE_CONFIG_KEY } from '../../src/format/index.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemProcessLife } from '../../src/runtime/process-life.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { connectStore } from '../../src/store/connect-store.ts';
import { Engine } from '../../src/store/engine.ts';
import { Telemetry } from '../../src/store/events.ts';
import { followingMetadata } from '../../src/store/following-metadata.ts';
import { HoldfastStore } from '../../src/store/holdfast-store.ts';
import { storeIdOf } from '../../src/store/location.ts';
import { Session } from '../../src/store/session.ts';
import { unlockConfig } from '../../src/store/unlock.ts';
import { noise } from '../support/contents.ts';
import { IS_THOROUGH } from '../support/points.ts';
import { SealRecorder } from '../support/seal-recorder.ts';
import { sampleSchedule } from '../support/sealed-samples.ts';
import { makeSampleStore, metadataPath, SEALED_OPTIONS, TENANT_NAME } from '../support/sealed-store.ts';
import { testFolder } from '../support/stores.ts';

/** `npm run test:slow -- points` makes a million. */
const SEALS = IS_THOROUGH ? 1_000_000 : 40_000;
const SESSIONS = 20;
const recorder = new SealRecorder();

beforeAll(() => recorder.start());
afterAll(() => recorder.stop());

/** Opens a folder for writing as `openStore` does, but with the metadata in this thread, where seals are seen. */
async function openHere(folder: string): Promise<HoldfastStore> {
  const backend = await openFsBackend(folder, { create: false, readOnly: false, reserveBytes: 0 });
  const config = decodeStoreConfig((await backend.get(STORE_CONFIG_KEY)) ?? new Uint8Array(0));
  const unlocking = await unlockConfig(config, SEALED_OPTIONS.keys);
  const metadata = await openSqlMetadata({
    ...{ path: metadataPath(folder), storeId: storeIdOf(config), create: false, readOnly: false },
    ...{ busyTimeoutMs: 1000, sealed: true },
  });
  const placed = { place: { kind: 'memory' }, backend, metadata, unlocking } as const;
  const connected = await connectStore(placed, { readOnly: false });
  const { keychain } = connected;
  const engine = new Engine({
    ...connected,
    metadata: keychain ? followingMetadata(metadata, () => keychain.reload()) : metadata,
    telemetry: new Telemetry(undefined),
    clock: systemClock,
    random: systemRandom,
    life: systemProcessLife,
  });
  await engine.recover();
  await engine.startWriting({ reserve: undefined, checkRoom: undefined });
  return new HoldfastStore(engine);
}

/** What a store does in its life. @param seed of the contents; the same again make the same plaintexts */
async function live(store: HoldfastStore, seed: number): Promise<void> {
  for (let index = 0; index < 8; index += 1) await store.put(`small ${index}`, noise(100, seed + index));
  await store.put('large', noise(70_000, seed));
  await store.put('isolated', noise(500, seed), { isolation: 'entry' });
  await store.namespace(TENANT_NAME).put('theirs', noise(500, seed));
  await store.rename('small 1', 'renamed', { replace: true });
  await store.delete('small 2');
}

describe('the recorder', () => {
  it('sees seals of the sources, and a pair that comes again', () => {
    const own = new SealRecorder();
    own.start();
    try {
      const frame = { nonce: new Uint8Array(12) };
      sealAead(new Uint8Array(32), frame, new Uint8Array(0));
      expect([own.seals, own.repeated]).toEqual([1, 0]);
      sealAead(new Uint8Array(32), { nonce: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) }, new Uint8Array(0));
      sealAead(new Uint8Array(32).fill(1), frame, new Uint8Array(0));
      expect([own.seals, own.repeated]).toEqual([3, 0]);
      sealAead(new Uint8Array(32), frame, new Uint8Array(9));
      expect([own.seals, own.repeated]).toEqual([4, 1]);
    } finally {
      own.stop();
      recorder.repeated = 0;
    }
  });
});

describe('no key seals twice with one nonce', () => {
  it('in the life of a store: reopened, forked, restored, re-sealed, merged', async () => {
    const folder = await testFolder();
    await makeSampleStore(folder);
    const before = recorder.seals;
    const first = await openHere(folder);
    await live(first, 1);
    await first.close();
    // The same process again, and both halves of a fork go on with the same contents.
    const [fork, restored] = [await testFolder(), await testFolder()];
    await cp(folder, fork, { recursive: true });
    await cp(folder, restored, { recursive: true });
    const halves = [await openHere(folder), await openHere(fork)];
    await Promise.all(halves.map((store) => live(store, 100)));
    const [one, other] = halves;
    await one?.keys.rotate();
    await one?.keys.rekey();
    await one?.close();
    await other?.keys.rotate();
    await live(other ?? first, 200);
    await other?.close();
    // Metadata from before, over packs of now: what it lacks is replayed, and then the same changes come again.
    const old = await testFolder();
    await cp(`${restored}/.metadata`, old, { recursive: true });
    const ahead = await openHere(restored);
    await live(ahead, 100);
    await ahead.close();
    await rm(`${restored}/.metadata`, { recursive: true });
    await cp(old, `${restored}/.metadata`, { recursive: true });
    const behind = await openHere(restored);
    await live(behind, 100);
    expect(await behind.maintenance.check()).toMatchObject({ outcome: 'ok' });
    await behind.close();
    expect(recorder.seals - before).toBeGreaterThan(1000);
    expect(recorder.repeated).toBe(0);
  });

  it(`in packs of many sessions, ${SEALS} records and envelopes in all`, { timeout: 120_000 }, () => {
    const schedule = sampleSchedule();
    const storeId = noise(16);
    const record: PackRecord = { kind: 'chunk', codec: 0, plainLength: 1, stored: noise(1), items: [] };
    for (let session = 0; session < SESSIONS; session += 1) {
      // Two processes that were given one session, as after a restored virtual machine: the salts of packs differ.
      const sessionId = noise(8, session >> 1);
      const life = new Session({ storeId, sessionId, schedule: () => schedule, random: systemRandom });
      for (let pack = 0; pack < 5; pack += 1) {
        const { header, key } = life.newPack('data');
        const builder = new PackBuilder(header, { ...(key && { key }) });
        for (let index = 0; index < 400; index += 1)
          builder.add({ ...record, items: [{ id: noise(32, index), length: 1 }] });
        builder.finish();
      }
      const sealer = new EnvelopeSealer(schedule.metadataKey(1), systemRandom, { sealsPerSalt: 5000 });
      const nothing = new Uint8Array(0);
      for (let index = 0; index < SEALS / SESSIONS; index += 1) sealer.seal(nothing);
    }
    expect(recorder.seals).toBeGreaterThan(SEALS);
    expect(recorder.repeated).toBe(0);
  });
});
