import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { bitFlips, patched } from '../../test/support/mutations.ts';
import { asyncOutcome, forgedConfig, keyContext, sealedBase } from '../../test/support/sealed.ts';
import { decodeStoreConfig, encodeStoreConfig, type SealedStoreConfig, type StoreConfig } from '../format/index.ts';
import { seededRandom } from '../testing/index.ts';
import { generateIdentity } from './identity.ts';
import { materialOf } from './keyring.ts';
import { openRing } from './ring-seal.ts';
import type { KeySecret } from './secrets.ts';
import { openSlot } from './slot.ts';
import { createSealed } from './slots.ts';
import { unlock, unlockWith } from './unlock.ts';

const random = seededRandom(1).bytes;
const KEY = random(32);
const IDENTITY = generateIdentity('ml-kem-1024', random);
const CONTEXT = keyContext(2);
const STATE = await createSealed(
  sealedBase(),
  [{ passphrase: 'Grüße' }, { key: KEY }, { identity: IDENTITY }],
  CONTEXT,
);
const CONFIG = STATE.config;
const KEY_ONLY = await createSealed(sealedBase(), [{ key: KEY }], CONTEXT);

const SECRETS: readonly (readonly [string, KeySecret])[] = [
  ['passphrase', { passphrase: 'Grüße' }],
  ['key', { key: KEY }],
  ['identity', { identity: IDENTITY }],
];

async function open(bytes: Uint8Array, secret: KeySecret): Promise<string> {
  return asyncOutcome((async () => unlock(sealed(decodeStoreConfig(bytes)), secret))());
}

function sealed(config: StoreConfig): SealedStoreConfig {
  if (config.format !== 2) throw new Error('the config is of a plain store');
  return config;
}

describe('a sealed config', () => {
  it.each(SECRETS)('is opened by its %s, and gives the keys it was made with', async (_, secret) => {
    const config = sealed(decodeStoreConfig(encodeStoreConfig(CONFIG)));
    const keyring = await unlock(config, secret);
    expect(keyring.secrets).toEqual(STATE.keyring.secrets);
    expect(materialOf(keyring)).toEqual(materialOf(STATE.keyring));
    expect(keyring.generation).toBe(1);
  });

  it('is opened by a passphrase however its letters are composed, and asks a callback for it', async () => {
    const decomposed = 'Gru\u0308ße';
    await expect(unlock(CONFIG, { passphrase: decomposed })).resolves.toBeDefined();
    await expect(unlock(CONFIG, async () => ({ passphrase: 'Grüße' }))).resolves.toBeDefined();
  });

  it('says the same to every wrong key', async () => {
    const wrong: readonly KeySecret[] = [
      { passphrase: 'grüße' },
      { key: random(32) },
      { identity: generateIdentity('ml-kem-1024', random) },
    ];
    const errors = await Promise.all(wrong.map((secret) => unlock(CONFIG, secret).catch((error: unknown) => error)));
    const [first] = errors as Error[];
    expect(first).toMatchObject({ kind: 'denied', code: 'WRONG_KEY', details: {} });
    for (const error of errors as Error[]) {
      expect(error.message).toBe(first?.message);
      expect(error.cause).toBeUndefined();
    }
  });

  it.each([
    ['nothing', undefined],
    ['text', 'secret'],
    ['an empty object', {}],
    ['a key that is text', { key: 'x'.repeat(32) }],
    ['no path', { keyFile: '' }],
  ])('does not take %s for a secret, nor repeat it', async (_, secret) => {
    const error = await unlock(CONFIG, secret as unknown as KeySecret).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(/got "(?:undefined|string|object)"$/);
  });

  it.each([
    ['a short key', { key: KEY.subarray(1) }],
    ['an empty passphrase', { passphrase: '' }],
    ['half of a surrogate pair', { passphrase: '\ud800' }],
    ['an identity that signs', { identity: generateIdentity('ed25519', random) }],
  ])('refuses %s before it tries', async (_, secret) => {
    expect(await asyncOutcome(unlock(CONFIG, secret))).toBe('invalid/CREDENTIAL_INVALID');
  });
});

describe('a damaged or forged sealed config', () => {
  it('is refused with any bit flipped', () => {
    const bytes = encodeStoreConfig(KEY_ONLY.config);
    const outcomes = new Set<string>();
    for (const { bytes: flipped } of bitFlips(bytes)) outcomes.add(outcomeOf(() => decodeStoreConfig(flipped)));
    expect([...outcomes]).toEqual(['corrupt/CONFIG_CORRUPT']);
  });

  it('is refused with a bit flipped and the check made anew', async () => {
    const bytes = encodeStoreConfig(KEY_ONLY.config);
    const end = bytes.length - 82;
    const seen = new Set<string>();
    for (let at = 0; at < end; at += 7) {
      const flipped = patched(bytes, at, [(bytes[at] ?? 0) ^ (1 << ((at >> 3) % 8))]);
      // Only what is still UTF-8 can be checked anew.
      const forged = forgedConfig(bytes, () => Buffer.from(flipped.subarray(0, end)).toString('utf8'));
      const outcome = await open(forged, { key: KEY });
      expect(outcome, `byte ${at}`).toMatch(/^(?:denied|corrupt|invalid|unsupported)\//);
      seen.add(outcome);
    }
    expect(seen).toContain('corrupt/CONFIG_CORRUPT');
    expect(seen).toContain('denied/WRONG_KEY');
  });

  it('is refused with a bit flipped in what a passphrase opens', async () => {
    const { config } = await createSealed(sealedBase(), [{ passphrase: 'p' }], CONTEXT);
    const bytes = encodeStoreConfig(config);
    const end = bytes.length - 82;
    for (let at = 100; at < end; at += 97) {
      const flipped = patched(bytes, at, [(bytes[at] ?? 0) ^ 1]);
      const forged = forgedConfig(bytes, () => Buffer.from(flipped.subarray(0, end)).toString('utf8'));
      expect(await open(forged, { passphrase: 'p' }), `byte ${at}`).toMatch(/^(?:denied|corrupt|unsupported)\//);
    }
  });

  it.each([
    ['a label', '"label": "key-file"', '"label": "key file"'],
    ['the chunking', '"fastcdc:16384', '"fastcdc:16385'],
    ['the time', '"created": "2026-01-01', '"created": "2026-01-02'],
    ['the generation', '"generation": 1', '"generation": 2'],
    ['the MAC', /"mac": ".{64}/, `"mac": "${'0'.repeat(64)}`],
  ])('is refused with %s changed by somebody without its keys', async (_, from, to) => {
    const bytes = encodeStoreConfig(KEY_ONLY.config);
    const forged = forgedConfig(bytes, (front) => front.replace(from, to));
    expect(forged).not.toEqual(bytes);
    expect(await open(forged, { key: KEY })).toBe('corrupt/CONFIG_CORRUPT');
  });
});

describe('a part of a sealed config', () => {
  const fail = (problem: string): never => {
    throw new Error(problem);
  };
  const { masterKey } = materialOf(KEY_ONLY.keyring);
  const [slot] = KEY_ONLY.config.keys.slots;
  const place = { storeId: KEY_ONLY.config.storeId, fail };
  if (slot?.type !== 'key-file') throw new Error('the sample has one slot, of a key');

  it('opens in its own place', async () => {
    expect(await openSlot(slot, { type: 'key-file', key: KEY }, place)).toEqual(masterKey);
  });

  it('does not open in another store', async () => {
    const elsewhere = { ...place, storeId: 'ff'.repeat(16) };
    expect(await openSlot(slot, { type: 'key-file', key: KEY }, elsewhere)).toBeUndefined();
    const ring = Buffer.from(KEY_ONLY.config.keys.ring, 'base64');
    expect(openRing(ring, { masterKey, storeId: place.storeId }, fail)).toEqual(materialOf(KEY_ONLY.keyring).ring);
    expect(() => openRing(ring, { masterKey, storeId: elsewhere.storeId }, fail)).toThrow(/does not open/);
  });

  it('does not open under another id, or with the parts of another slot of the same key', async () => {
    const [other] = (await createSealed(sealedBase(), [{ key: KEY }], CONTEXT)).config.keys.slots;
    if (other?.type !== 'key-file') throw new Error('the other sample has one slot, of a key');
    const { id, publicKey, salt, seed, ciphertext, masterKey: wrapped } = other;
    const open = (change: Partial<typeof slot>) =>
      asyncOutcome(
        openSlot({ ...slot, ...change }, { type: 'key-file', key: KEY }, place).then(
          (found) => found ?? fail('not opened'),
        ),
      );
    for (const change of [{ id }, { publicKey }, { salt }, { seed }, { ciphertext }, { masterKey: wrapped }]) {
      expect(await open(change), Object.keys(change).join()).toBe('Error');
    }
    expect(await open({ salt, seed })).toBe('Error');
    expect(await open({ ciphertext, masterKey: wrapped })).toBe('Error');
    expect(await open({ id, publicKey, salt, seed })).toBe('Error');
  });

  it('does not open as a slot of another type', async () => {
    const recipient = CONFIG.keys.slots[2];
    if (recipient?.type !== 'recipient') throw new Error('the sample has a recipient');
    const { seed, salt } = slot;
    const asKeyFile = { ...recipient, type: 'key-file', seed, salt } as const;
    expect(await openSlot(asKeyFile, { type: 'key-file', key: KEY }, place)).toBeUndefined();
    const { id, label, created, publicKey, ciphertext, masterKey: wrapped } = slot;
    const asRecipient = { type: 'recipient', id, label, created, publicKey, ciphertext, masterKey: wrapped } as const;
    const identity = { type: 'recipient', identity: IDENTITY } as const;
    expect(await openSlot(asRecipient, identity, place)).toBeUndefined();
  });
});

describe('opened keys', () => {
  it('open what comes after them, unless the master key is another one', async () => {
    const { keyring } = KEY_ONLY;
    expect(unlockWith(keyring, KEY_ONLY.config)?.secrets).toEqual(keyring.secrets);
    expect(unlockWith(keyring, CONFIG)).toBeUndefined();
  });
});
