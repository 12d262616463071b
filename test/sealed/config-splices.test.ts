/** Members of the config of a sealed store, in the place of those of another version or another store. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8Decode } from '../../src/bytes/bytes.ts';
import {
  decodeStoreConfig,
  encodeStoreConfig,
  type SealedStoreConfig,
  STORE_CONFIG_KEY,
} from '../../src/format/index.ts';
import { openStore } from '../../src/index.ts';
import { addSlot, createSealed, type KeyState, labelSlot, removeSlot, rotate } from '../../src/keys/index.ts';
import { createKeyring, materialOf } from '../../src/keys/keyring.ts';
import { sealState } from '../../src/keys/sealed-state.ts';
import { renewSlot } from '../../src/keys/slot.ts';
import { unlockConfig } from '../../src/store/unlock.ts';
import { forgedConfig, keyContext, sealedBase } from '../support/sealed.ts';
import { honest, makeSampleStore, SEALED_OPTIONS, STORE_KEY } from '../support/sealed-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const OTHER_STORE = 'ffeeddccbbaa99887766554433221100';
const SECOND_KEY = new Uint8Array(32).fill(0x2b);
const CONTEXT = keyContext(31);

type Json = { [name: string]: unknown };

/** Configs that all have the same two keys: versions of one store, and one of another. */
const versions: { readonly name: string; readonly bytes: Uint8Array }[] = [];

beforeAll(async () => {
  const keep = (name: string, { config }: KeyState): void => {
    versions.push({ name, bytes: encodeStoreConfig(config) });
  };
  const slots = [{ key: STORE_KEY }, { key: SECOND_KEY, label: 'second' }];
  let state = await createSealed(sealedBase(), slots, CONTEXT);
  keep('first', state);
  state = rotate(state, CONTEXT);
  keep('rotated', state);
  state = labelSlot(state, { id: state.config.keys.slots[1]?.id ?? '', label: 'other label' }, CONTEXT);
  keep('labelled', state);
  state = await addSlot(state, { key: new Uint8Array(32).fill(1), label: 'guest' }, CONTEXT);
  keep('with a guest', state);
  state = removeSlot(state, state.config.keys.slots[2]?.id ?? '', CONTEXT);
  keep('master key renewed', state);
  keep('of another store', await createSealed(sealedBase(OTHER_STORE), slots, CONTEXT));
});

function parsed(bytes: Uint8Array): Json {
  return JSON.parse(utf8Decode(bytes)) as Json;
}

/** Every way to a member of a value, by names and indexes. */
function* waysInto(value: unknown, way: readonly string[] = []): Generator<readonly string[]> {
  if (way.length > 0) yield way;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) yield* waysInto(member, [...way, name]);
}

function memberAt(value: unknown, way: readonly string[]): unknown {
  return way.reduce<unknown>((at, name) => (at as Json | undefined)?.[name], value);
}

/** The config with one member from another, and a check that fits. */
function spliced(bytes: Uint8Array, way: readonly string[], member: unknown): Uint8Array {
  const { check: _check, ...rest } = parsed(bytes);
  const last = way.at(-1) ?? '';
  (memberAt(rest, way.slice(0, -1)) as Json)[last] = member;
  const text = JSON.stringify(rest, null, 2);
  // In front of the check the config is written as JSON with two spaces.
  return forgedConfig(bytes, () => text.slice(0, -2));
}

async function opened(bytes: Uint8Array, key: Uint8Array): Promise<string> {
  const { value, code } = await honest(() => unlockConfig(decodeStoreConfig(bytes), { key }));
  value?.end();
  return code ?? 'nothing';
}

describe('a config', () => {
  it('opens as it was written, and written again by these tests', async () => {
    for (const { bytes } of versions) {
      expect(await opened(bytes, STORE_KEY)).toBe('nothing');
      expect(spliced(bytes, ['storeId'], parsed(bytes).storeId)).toEqual(bytes);
    }
  });

  it('is refused with any member, slot or field of a slot from another version or another store', async () => {
    let count = 0;
    const outcomes = new Set<string>();
    for (const target of versions) {
      for (const source of versions) {
        for (const way of waysInto(parsed(source.bytes))) {
          const [mine, theirs] = [target, source].map(({ bytes }) => JSON.stringify(memberAt(parsed(bytes), way)));
          if (way[0] === 'check' || mine === theirs || mine === undefined) continue;
          const forged = spliced(target.bytes, way, memberAt(parsed(source.bytes), way));
          const outcome = await opened(forged, STORE_KEY);
          expect(outcome, `${way.join('.')} of ${source.name} in ${target.name}`).not.toBe('nothing');
          outcomes.add(outcome);
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(200);
    expect([...outcomes].sort()).toEqual(['CONFIG_CORRUPT', 'WRONG_KEY']);
  });

  it('is refused with two slots, or the same field of them, exchanged', async () => {
    for (const { bytes, name } of versions) {
      const [one, two] = (memberAt(parsed(bytes), ['keys', 'slots']) as readonly Json[]).slice(0, 2);
      for (const field of Object.keys(one ?? {}).filter((key) => one?.[key] !== two?.[key])) {
        for (const [index, key] of [STORE_KEY, SECOND_KEY].entries()) {
          const from = index === 0 ? two : one;
          const forged = spliced(bytes, ['keys', 'slots', `${index}`, field], from?.[field]);
          expect(await opened(forged, key), `${field} of ${name}`).not.toBe('nothing');
        }
      }
      const rest = (memberAt(parsed(bytes), ['keys', 'slots']) as readonly Json[]).slice(2);
      expect(await opened(spliced(bytes, ['keys', 'slots'], [two, one, ...rest]), STORE_KEY)).toBe('CONFIG_CORRUPT');
    }
  });
});

/** A config with keys of its maker's own, to which the slots of another lead: it takes their public keys only. */
function usurped({ config }: { readonly config: SealedStoreConfig }, generation: number): Uint8Array {
  const { masterKey, ring } = materialOf(createKeyring(CONTEXT.random, CONTEXT.clock));
  const slots = config.keys.slots.map((slot) => renewSlot(slot, { storeId: config.storeId, masterKey }));
  return encodeStoreConfig(sealState(config, { masterKey, ring, generation, slots }, CONTEXT.random).config);
}

describe('a newer config in the metadata', () => {
  it('is taken with another master key when it is of the same store, and refused with another ring', async () => {
    const before = await createSealed(sealedBase(), [{ key: STORE_KEY }, { key: SECOND_KEY }], CONTEXT);
    const after = removeSlot(before, before.config.keys.slots[1]?.id ?? '', CONTEXT);
    const unlocking = await unlockConfig(before.config, { key: STORE_KEY });
    const generation = after.config.generation;
    const taken = await unlocking.newer({ generation, bytes: encodeStoreConfig(after.config) });
    expect(taken.keyring.schedule.currentEpoch).toBe(2);
    const refused = unlocking.newer({ generation, bytes: usurped(before, generation) });
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_CORRUPT', kind: 'corrupt' });
    unlocking.end();
  });
});

describe('a config on the backend that somebody without keys made for the slots of the store', () => {
  it('is refused by metadata that holds anything, which keeps the config it had', async () => {
    const folder = await testFolder();
    await makeSampleStore(folder);
    const file = path.join(folder, STORE_CONFIG_KEY);
    const bytes = new Uint8Array(await readFile(file));
    const config = decodeStoreConfig(bytes);
    if (config.keys === 'none') throw new Error('the store is sealed');
    await writeFile(file, usurped({ config }, config.generation + 1));
    for (const readOnly of [true, false]) {
      const opening = openStore(folder, { ...SEALED_OPTIONS, readOnly });
      await expect(opening).rejects.toMatchObject({ code: 'METADATA_CORRUPT', kind: 'corrupt' });
    }
    await writeFile(file, bytes);
    const store = closedAfterTest(await openStore(folder, SEALED_OPTIONS));
    expect(await store.maintenance.check()).toMatchObject({ outcome: 'ok' });
  });
});
