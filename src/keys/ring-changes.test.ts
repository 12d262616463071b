import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { keyContext, sealedBase } from '../../test/support/sealed.ts';
import { packKeyIn } from '../../test/support/sealed-samples.ts';
import { createKemKeyPair, encapsulate } from '../crypto/kem.ts';
import { decodeStoreConfig, encodeStoreConfig } from '../format/index.ts';
import { RING_EPOCHS_MAX, RING_NAMESPACES_MAX, RING_WRITERS_MAX } from '../limits.ts';
import { seededRandom } from '../testing/index.ts';
import { forgetEpochs, rotate } from './epochs.ts';
import { materialOf } from './keyring.ts';
import { addNamespace, dropNamespace, setNamespaceQuota } from './namespaces.ts';
import type { Ring } from './ring.ts';
import { type KeyState, nextState } from './sealed-state.ts';
import { createSealed } from './slots.ts';
import { unlock, unlockWith } from './unlock.ts';
import { formatWriterCredential, parseWriterCredential } from './writer-credential.ts';
import { addWriter, exportWriter, removeWriter } from './writers.ts';

const random = seededRandom(5).bytes;
const CONTEXT = keyContext(6);
const KEY = { key: random(32) };
const STATE = await createSealed(sealedBase(), [KEY], CONTEXT);
const CREATED = '2026-01-02T03:04:05.006Z';

/** What the next process sees. */
async function reopened(state: KeyState): Promise<KeyState> {
  const config = decodeStoreConfig(encodeStoreConfig(state.config));
  if (config.format !== 2) throw new Error('the config is of a plain store');
  return { config, keyring: await unlock(config, KEY) };
}

describe('rotating', () => {
  it('adds an epoch and changes nothing else', async () => {
    const next = await reopened(rotate(STATE, CONTEXT));
    expect(next.config.generation).toBe(2);
    expect(next.config.keys.slots).toEqual(STATE.config.keys.slots);
    expect(next.keyring.epochs).toEqual([1, 2].map((number) => ({ number, created: CREATED })));
    expect(next.keyring.schedule.currentEpoch).toBe(2);
    const [first, second] = [1, 2].map((epoch) => packKeyIn(next.keyring.schedule, 0, epoch));
    expect(first).toEqual(packKeyIn(STATE.keyring.schedule, 0, 1));
    expect(second).not.toEqual(first);
    expect(next.keyring.schedule.idKey(0)).toEqual(STATE.keyring.schedule.idKey(0));
    expect(unlockWith(STATE.keyring, next.config)?.epochs).toHaveLength(2);
  });

  it('is forgotten epoch by epoch, never the newest', async () => {
    const three = rotate(rotate(STATE, CONTEXT), CONTEXT);
    const next = await reopened(forgetEpochs(three, [1], CONTEXT));
    expect(next.keyring.epochs.map(({ number }) => number)).toEqual([2, 3]);
    expect(outcomeOf(() => packKeyIn(next.keyring.schedule, 0, 1))).toBe('denied/EPOCH_UNKNOWN');
    expect(forgetEpochs(next, [1], CONTEXT).keyring.epochs).toHaveLength(2);
    expect(outcomeOf(() => forgetEpochs(next, [3], CONTEXT))).toBe('RangeError');
    expect(rotate(next, CONTEXT).keyring.epochs.at(-1)?.number).toBe(4);
  });
});

describe('a namespace', () => {
  const two = addNamespace(addNamespace(STATE, { name: 'Übung' }, CONTEXT), { name: 'b', quotaBytes: 10 }, CONTEXT);

  it('has a number, a name, a time and a quota, and keys of its own', async () => {
    const { keyring } = await reopened(two);
    expect(keyring.namespaces).toEqual([
      { number: 0, name: 'default', created: CREATED },
      { number: 1, name: 'Übung', created: CREATED },
      { number: 2, name: 'b', created: CREATED, quotaBytes: 10 },
    ]);
    const ids = keyring.namespaces.map(({ number }) => Buffer.from(keyring.schedule.idKey(number)).toString('hex'));
    expect(new Set(ids).size).toBe(3);
    expect(keyring.namespace('b')).toMatchObject({ number: 2 });
  });

  it('leaves with its secret and its writers, and its number is not used again', async () => {
    const withWriter = exportWriter(two, { label: 'w', namespace: 'b' }, CONTEXT);
    const dropped = await reopened(dropNamespace(withWriter, 'b', CONTEXT));
    expect(dropped.keyring.writers).toEqual([]);
    expect(outcomeOf(() => dropped.keyring.schedule.idKey(2))).toBe('denied/NAMESPACE_KEY_GONE');
    expect(outcomeOf(() => dropped.keyring.namespace('b'))).toBe('not-found/NAMESPACE_NOT_FOUND');
    expect(addNamespace(dropped, { name: 'b' }, CONTEXT).keyring.namespace('b').number).toBe(3);
  });

  it('gets, changes and loses its quota', async () => {
    const quotaOf = async (state: KeyState) => (await reopened(state)).keyring.namespace('b').quotaBytes;
    const raised = setNamespaceQuota(two, { name: 'b', quotaBytes: 20 }, CONTEXT);
    expect(await quotaOf(raised)).toBe(20);
    expect(await quotaOf(setNamespaceQuota(raised, { name: 'b' }, CONTEXT))).toBeUndefined();
    expect(await quotaOf(setNamespaceQuota(two, { name: 'default', quotaBytes: 0 }, CONTEXT))).toBe(10);
  });

  it.each<[string, () => unknown, string]>([
    ['a name that is taken', () => addNamespace(two, { name: 'b' }, CONTEXT), 'conflict/NAMESPACE_EXISTS'],
    ['the default name', () => addNamespace(two, { name: 'default' }, CONTEXT), 'conflict/NAMESPACE_EXISTS'],
    ['an empty name', () => addNamespace(two, { name: '' }, CONTEXT), 'invalid/NAMESPACE_INVALID'],
    ['a long name', () => addNamespace(two, { name: 'ü'.repeat(33) }, CONTEXT), 'invalid/NAMESPACE_INVALID'],
    ['a control character', () => addNamespace(two, { name: 'a\u0007' }, CONTEXT), 'invalid/NAMESPACE_INVALID'],
    ['half of a surrogate pair', () => addNamespace(two, { name: '\udc00' }, CONTEXT), 'invalid/NAMESPACE_INVALID'],
    ['a negative quota', () => addNamespace(two, { name: 'c', quotaBytes: -1 }, CONTEXT), 'RangeError'],
    ['dropping the default', () => dropNamespace(two, 'default', CONTEXT), 'invalid/NAMESPACE_INVALID'],
    ['dropping what is not there', () => dropNamespace(two, 'c', CONTEXT), 'not-found/NAMESPACE_NOT_FOUND'],
  ])('refuses %s', (_, call, expected) => {
    expect(outcomeOf(call)).toBe(expected);
  });
});

describe('a put-only writer', () => {
  const base = rotate(addNamespace(STATE, { name: 'inbox' }, CONTEXT), CONTEXT);
  const exported = exportWriter(base, { label: 'camera', namespace: 'inbox' }, CONTEXT);

  it('gets what it needs to write, and the store remembers who it is', async () => {
    const { credential } = exported;
    const { keyring } = await reopened(exported);
    expect(keyring.writers).toMatchObject([{ label: 'camera', namespace: 1, created: CREATED }]);
    expect(credential).toMatchObject({ storeId: STATE.config.storeId, namespace: 1, namespaceName: 'inbox', epoch: 2 });
    expect(credential.idKey).toEqual(keyring.schedule.idKey(1));
    expect(credential.chunkerSeed).toBe(keyring.schedule.chunkerSeed(1));
    const { ciphertext, sharedKey } = encapsulate(credential.publicKey);
    expect(createKemKeyPair(keyring.schedule.writerKemSeed(1, 2)).decapsulate(ciphertext)).toEqual(sharedKey);
  });

  it('gets nothing that opens anything', () => {
    const text = formatWriterCredential(exported.credential);
    const { masterKey, ring } = materialOf(exported.keyring);
    const { schedule } = exported.keyring;
    const secrets = [masterKey, ring.store, ...ring.epochs.map(({ secret }) => secret)];
    secrets.push(...ring.namespaces.map(({ secret }) => secret), packKeyIn(schedule, 1, 2), schedule.operationKey(1));
    secrets.push(schedule.writerKemSeed(1, 2), schedule.lookupKey(), schedule.metadataKey(2));
    for (const secret of secrets) {
      expect(text).not.toContain(Buffer.from(secret).toString('base64'));
      expect(text).not.toContain(Buffer.from(secret).toString('hex'));
    }
  });

  it('reads its credential back', () => {
    const { credential } = exported;
    expect(parseWriterCredential(formatWriterCredential(credential))).toEqual(credential);
    const small = { ...credential, chunkerSeed: 1n };
    expect(parseWriterCredential(formatWriterCredential(small)).chunkerSeed).toBe(1n);
  });

  it('is shut out by its fingerprint', async () => {
    const [writer] = exported.keyring.writers;
    const next = await reopened(removeWriter(exported, writer?.fingerprint ?? '', CONTEXT));
    expect(next.keyring.writers).toEqual([]);
    expect(outcomeOf(() => removeWriter(next, writer?.fingerprint ?? '', CONTEXT))).toBe('not-found/SLOT_NOT_FOUND');
  });

  it('leaves no seed in memory when it is not let in', () => {
    const drawn: Uint8Array[] = [];
    const recording = (count: number): Uint8Array => {
      drawn.push(random(count));
      return drawn.at(-1) as Uint8Array;
    };
    const refused = () => exportWriter(base, { label: 'x', namespace: 'x' }, { ...CONTEXT, random: recording });
    expect(outcomeOf(refused)).toBe('not-found/NAMESPACE_NOT_FOUND');
    expect(drawn).toEqual([new Uint8Array(32)]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'no such namespace',
      () => exportWriter(base, { label: 'x', namespace: 'x' }, CONTEXT),
      'not-found/NAMESPACE_NOT_FOUND',
    ],
    ['no label', () => exportWriter(base, { label: '' }, CONTEXT), 'RangeError'],
    [
      'a short key',
      () => addWriter(base, { label: 'x', publicKey: random(31) }, CONTEXT),
      'invalid/CREDENTIAL_INVALID',
    ],
    [
      'a key that is there',
      () => addWriter(exported, { label: 'x', publicKey: exported.keyring.writers[0]?.publicKey ?? KEY.key }, CONTEXT),
      'invalid/CREDENTIAL_INVALID',
    ],
  ])('is refused with %s', (_, call, expected) => {
    expect(outcomeOf(call)).toBe(expected);
  });
});

describe('the fullest ring', () => {
  const secret = KEY.key;
  const created = 8.64e15;
  const count = <T>(length: number, make: (index: number) => T): readonly T[] =>
    Array.from({ length }, (_, at) => make(at));
  const ring: Ring = {
    store: secret,
    epochs: count(RING_EPOCHS_MAX, (at) => ({ number: 2 ** 32 - 1 - RING_EPOCHS_MAX + at, secret, created })),
    namespaces: count(RING_NAMESPACES_MAX, (at) => {
      const name = at === 0 ? 'default' : `${at}`.padStart(64, 'n');
      return { number: at === 0 ? 0 : 2 ** 30 + at, name, secret, created, quotaBytes: Number.MAX_SAFE_INTEGER };
    }),
    nextNamespace: 2 ** 30 + RING_NAMESPACES_MAX,
    writers: count(RING_WRITERS_MAX, (at) => {
      const publicKey = new Uint8Array(32).fill(at);
      return { label: '🔑'.repeat(64), publicKey, namespace: 2 ** 30 + 1, created };
    }),
  };
  const full = nextState(STATE, { ring }, CONTEXT.random);

  it('fits the config', async () => {
    expect(materialOf((await reopened(full)).keyring).ring).toEqual(ring);
  });

  it.each<[string, () => unknown]>([
    ['epoch', () => rotate(full, CONTEXT)],
    ['namespace', () => addNamespace(full, { name: 'one more' }, CONTEXT)],
    ['writer', () => exportWriter(full, { label: 'one more' }, CONTEXT)],
  ])('takes no more: %s', (_, call) => {
    expect(outcomeOf(call)).toBe('exhausted/QUOTA_EXCEEDED');
  });
});
