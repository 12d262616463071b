import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { asyncOutcome, keyContext, sealedBase } from '../../test/support/sealed.ts';
import { packKeyIn } from '../../test/support/sealed-samples.ts';
import { decodeStoreConfig, encodeStoreConfig } from '../format/index.ts';
import { KEY_SLOTS_MAX } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { generateIdentity } from './identity.ts';
import { materialOf } from './keyring.ts';
import { formatPublicIdentity } from './public-identity.ts';
import type { KeyState } from './sealed-state.ts';
import type { KeySecret } from './secrets.ts';
import { addSlot, changePassphrase, createSealed, labelSlot, listSlots, removeSlot } from './slots.ts';
import { unlock, unlockWith } from './unlock.ts';

const random = seededRandom(3).bytes;
const CONTEXT = keyContext(4);
const PASSPHRASE = { passphrase: 'first' };
const KEY = { key: random(32) };
const IDENTITY = generateIdentity('ml-kem-1024', random);
const STATE = await createSealed(sealedBase(), [{ ...PASSPHRASE, label: 'desk' }, KEY], CONTEXT);
const [DESK = '', KEY_SLOT = ''] = listSlots(STATE.config).map(({ id }) => id);

/** Whether a secret opens what would be written, with the very keys that the change gave. */
async function opens(state: KeyState, secret: KeySecret): Promise<boolean> {
  const config = decodeStoreConfig(encodeStoreConfig(state.config));
  if (config.format !== 2) throw new Error('the config is of a plain store');
  try {
    expect(materialOf(await unlock(config, secret))).toEqual(materialOf(state.keyring));
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'WRONG_KEY') return false;
    throw error;
  }
}

describe('a new sealed store', () => {
  it('has the slots it was made with, as everybody sees them', () => {
    expect(listSlots(STATE.config)).toMatchObject([
      { type: 'passphrase', label: 'desk', created: '2026-01-02T03:04:05.006Z' },
      { type: 'key-file', label: 'key-file' },
    ]);
    expect(STATE.config).toMatchObject({ ...sealedBase(), format: 2, generation: 1 });
  });

  it('shares no secret, key or salt with another one made alike', async () => {
    const other = await createSealed(sealedBase(), [{ ...PASSPHRASE, label: 'desk' }, KEY], CONTEXT);
    const texts = (state: KeyState): readonly string[] =>
      JSON.stringify(state.config.keys).match(/[A-Za-z0-9+/=]{40,}/g) ?? [];
    expect(texts(other).filter((text) => texts(STATE).includes(text))).toEqual([]);
    expect(materialOf(other.keyring).masterKey).not.toEqual(materialOf(STATE.keyring).masterKey);
  });

  it('needs a slot, and not too many', async () => {
    expect(await asyncOutcome(createSealed(sealedBase(), [], CONTEXT))).toBe('RangeError');
    const many = Array.from({ length: KEY_SLOTS_MAX + 1 }, () => KEY);
    expect(await asyncOutcome(createSealed(sealedBase(), many, CONTEXT))).toBe('RangeError');
  });

  it.each([
    ['little memory', { memoryKib: 64, passes: 1, parallelism: 1 }],
    ['much memory', { memoryKib: 2 ** 21, passes: 1, parallelism: 1 }],
    ['many passes', { memoryKib: 8192, passes: 17, parallelism: 1 }],
    ['no lane', { memoryKib: 8192, passes: 1, parallelism: 0 }],
  ])('keeps Argon2 parameters out that it would refuse to read: %s', async (_, argon2) => {
    expect(await asyncOutcome(createSealed(sealedBase(), [PASSPHRASE], { ...CONTEXT, argon2 }))).toBe('RangeError');
  });
});

describe('adding a slot', () => {
  it.each([
    ['a passphrase', { passphrase: 'second' }, { passphrase: 'second' }],
    ['an identity', { identity: IDENTITY }, { identity: IDENTITY }],
    ['the line of a recipient', { recipient: formatPublicIdentity(IDENTITY) }, { identity: IDENTITY }],
    ['a recipient', { recipient: IDENTITY }, { identity: IDENTITY }],
  ])('lets %s in, and nobody out', async (_, slot, secret) => {
    const next = await addSlot(STATE, { ...slot, label: 'new' }, CONTEXT);
    expect(next.config.generation).toBe(2);
    expect(listSlots(next.config).at(-1)).toMatchObject({ label: 'new' });
    for (const one of [PASSPHRASE, KEY, secret]) expect(await opens(next, one)).toBe(true);
    expect(next.keyring.secrets).toEqual(STATE.keyring.secrets);
  });

  it('shows a recipient under the fingerprint of its identity', async () => {
    const next = await addSlot(STATE, { recipient: IDENTITY }, CONTEXT);
    expect(listSlots(next.config).at(-1)).toMatchObject({ type: 'recipient', fingerprint: IDENTITY.fingerprint });
  });

  it.each([
    ['a signer as recipient', { recipient: generateIdentity('ed25519', random) }, 'invalid/CREDENTIAL_INVALID'],
    ['a line that is none', { recipient: 'age1xyz' }, 'invalid/CREDENTIAL_INVALID'],
    ['an empty label', { key: random(32), label: '' }, 'RangeError'],
    ['a long label', { key: random(32), label: 'x'.repeat(65) }, 'RangeError'],
    ['a label with a line end', { key: random(32), label: 'a\nb' }, 'RangeError'],
  ])('refuses %s', async (_, slot, expected) => {
    expect(await asyncOutcome(addSlot(STATE, slot, CONTEXT))).toBe(expected);
  });

  it('refuses a key file and a recipient that have a slot, and names it', async () => {
    expect(await asyncOutcome(addSlot(STATE, { ...KEY, label: 'again' }, CONTEXT))).toBe('conflict/SLOT_EXISTS');
    const withFriend = await addSlot(STATE, { recipient: IDENTITY }, CONTEXT);
    const id = listSlots(withFriend.config).at(-1)?.id;
    for (const slot of [{ recipient: formatPublicIdentity(IDENTITY) }, { identity: IDENTITY }])
      await expect(addSlot(withFriend, slot, CONTEXT)).rejects.toMatchObject({
        code: 'SLOT_EXISTS',
        message: expect.stringContaining(`${id}`),
        details: { actual: id },
      });
    expect(await asyncOutcome(createSealed(sealedBase(), [KEY, KEY], CONTEXT))).toBe('conflict/SLOT_EXISTS');
  });

  it('lets the same passphrase in twice, because comparing would cost as much as opening', async () => {
    expect(listSlots((await addSlot(STATE, PASSPHRASE, CONTEXT)).config)).toHaveLength(3);
  });

  it('ends with the last one that fits', async () => {
    const many = await createSealed(
      sealedBase(),
      Array.from({ length: KEY_SLOTS_MAX }, () => ({ key: random(32) })),
      CONTEXT,
    );
    expect(await asyncOutcome(addSlot(many, KEY, CONTEXT))).toBe('exhausted/QUOTA_EXCEEDED');
  });
});

describe('removing a slot', () => {
  const next = removeSlot(STATE, DESK, CONTEXT);

  it('shuts its secret out and keeps the others', async () => {
    expect(await opens(next, PASSPHRASE)).toBe(false);
    expect(await opens(next, KEY)).toBe(true);
    expect(listSlots(next.config).map(({ id }) => id)).toEqual([KEY_SLOT]);
  });

  it('leaves nothing that the removed one had of any use for what is sealed from now on', () => {
    expect(unlockWith(STATE.keyring, next.config)).toBeUndefined();
    const { currentEpoch } = next.keyring.schedule;
    expect(currentEpoch).toBe(2);
    expect(outcomeOf(() => packKeyIn(STATE.keyring.schedule, 0, currentEpoch))).toBe('denied/EPOCH_UNKNOWN');
    expect(packKeyIn(next.keyring.schedule, 0, 1)).toEqual(packKeyIn(STATE.keyring.schedule, 0, 1));
  });

  it('shuts a recipient out who kept the seed and every old config', async () => {
    const withRecipient = await addSlot(STATE, { recipient: IDENTITY }, CONTEXT);
    const id = listSlots(withRecipient.config).at(-1)?.id ?? '';
    expect(await opens(removeSlot(withRecipient, id, CONTEXT), { identity: IDENTITY })).toBe(false);
  });

  it('refuses the last one, and one that is not there', () => {
    expect(outcomeOf(() => removeSlot(next, KEY_SLOT, CONTEXT))).toBe('conflict/LAST_SLOT');
    expect(outcomeOf(() => removeSlot(STATE, '00000000', CONTEXT))).toBe('not-found/SLOT_NOT_FOUND');
  });
});

describe('changing a passphrase', () => {
  it('lets the new one in and the old one out, with a pair, a master key and an epoch of its own', async () => {
    const next = await changePassphrase(STATE, { id: DESK, passphrase: { passphrase: 'other' } }, CONTEXT);
    expect(await opens(next, { passphrase: 'other' })).toBe(true);
    expect(await opens(next, PASSPHRASE)).toBe(false);
    expect(await opens(next, KEY)).toBe(true);
    expect(listSlots(next.config)[0]).toMatchObject({ id: DESK, label: 'desk' });
    expect(next.config.keys.slots[0]?.publicKey).not.toBe(STATE.config.keys.slots[0]?.publicKey);
    expect(unlockWith(STATE.keyring, next.config)).toBeUndefined();
    expect(next.keyring.schedule.currentEpoch).toBe(2);
  });

  it.each([
    ['a slot of another type', KEY_SLOT, { passphrase: 'x' }, 'invalid/CREDENTIAL_INVALID'],
    ['another kind of secret', DESK, KEY, 'invalid/CREDENTIAL_INVALID'],
    ['an empty passphrase', DESK, { passphrase: '' }, 'invalid/CREDENTIAL_INVALID'],
    ['a slot that is not there', 'ffffffff', { passphrase: 'x' }, 'not-found/SLOT_NOT_FOUND'],
  ])('refuses %s', async (_, id, passphrase, expected) => {
    expect(await asyncOutcome(changePassphrase(STATE, { id, passphrase }, CONTEXT))).toBe(expected);
  });
});

describe('a change of keys', () => {
  it("is not made of a config that was not unlocked, whose slots may be anybody's", async () => {
    const stranger = await createSealed(sealedBase(), [{ identity: IDENTITY }, KEY], CONTEXT);
    const mixed = { config: stranger.config, keyring: STATE.keyring };
    const swapped = { ...STATE.config, keys: { ...STATE.config.keys, slots: stranger.config.keys.slots } };
    for (const state of [mixed, { config: swapped, keyring: STATE.keyring }]) {
      const [first = ''] = listSlots(state.config).map(({ id }) => id);
      expect(outcomeOf(() => removeSlot(state, first, CONTEXT))).toBe('internal/INVARIANT_BROKEN');
      expect(await asyncOutcome(addSlot(state, { key: random(32) }, CONTEXT))).toBe('internal/INVARIANT_BROKEN');
    }
  });
});

describe('labelling a slot', () => {
  it('changes the label and nothing that opens it', async () => {
    const next = labelSlot(STATE, { id: KEY_SLOT, label: 'Schlüssel 🔑' }, CONTEXT);
    expect(listSlots(next.config)[1]).toMatchObject({ id: KEY_SLOT, label: 'Schlüssel 🔑' });
    expect(await opens(next, KEY)).toBe(true);
    expect(await opens(next, PASSPHRASE)).toBe(true);
  });

  it('refuses labels that are none, and slots that are not there', () => {
    expect(outcomeOf(() => labelSlot(STATE, { id: KEY_SLOT, label: '\ud800' }, CONTEXT))).toBe('RangeError');
    expect(outcomeOf(() => labelSlot(STATE, { id: 'x', label: 'x' }, CONTEXT))).toBe('not-found/SLOT_NOT_FOUND');
  });
});
