import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { keyContext, sealedBase } from '../../test/support/sealed.ts';
import { toBase64 } from '../bytes/base64.ts';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { makeTemporaryFolder } from '../testing/index.ts';
import { exportSeed, generateIdentity, importSeed, parseIdentity, readIdentity } from './identity.ts';
import { combineIdentity, splitIdentity } from './identity-shares.ts';
import { parseKey, readKeyFile } from './key-file.ts';
import { materialOf } from './keyring.ts';
import { parsePublicIdentity } from './public-identity.ts';
import type { KeySecret } from './secrets.ts';
import { parseSignatureDocument } from './signature-document.ts';
import { addSlot, createSealed } from './slots.ts';
import { unlock } from './unlock.ts';
import { parseWriterCredential, readWriterCredential } from './writer-credential.ts';
import { exportWriter } from './writers.ts';

/** No secret has it by chance, and it is of every alphabet that secrets are written in but hex. */
const CANARY = 'CanaryThatMustNeverSing';
const CONTEXT = keyContext(12);
const KEY = CONTEXT.random(32);
const STATE = await createSealed(sealedBase(), [{ key: KEY }], CONTEXT);

const folder = await makeTemporaryFolder();
afterAll(() => folder.remove());

/** Everything that a logger could write of a value. */
function shown(value: unknown): string {
  const texts = [
    inspect(value, { depth: 20, showHidden: true, maxStringLength: null }),
    JSON.stringify(value),
    String(value),
  ];
  if (value instanceof Error)
    texts.push(value.message, value.stack ?? '', shown(value.cause), JSON.stringify({ ...value }));
  return texts.join('\n');
}

/** Spellings of bytes, whole and the beginning of it. */
function spellings(secret: Uint8Array): readonly string[] {
  const part = secret.subarray(0, 12);
  return [toHex(part), toBase64(part), part.join(', '), part.join(','), Buffer.from(part).toString('latin1')];
}

async function rejected(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('the call was expected to fail');
}

describe('a secret in the wrong place', () => {
  const [share = ''] = ['holdfast-share'];
  it.each<[string, () => unknown]>([
    ['a wrong passphrase', () => unlock(STATE.config, { passphrase: CANARY })],
    ['a passphrase for a key', () => unlock(STATE.config, { key: CANARY } as unknown as KeySecret)],
    ['a passphrase for a secret', () => unlock(STATE.config, CANARY as unknown as KeySecret)],
    ['a passphrase under another name', () => unlock(STATE.config, { password: CANARY } as unknown as KeySecret)],
    ['a passphrase too long', () => unlock(STATE.config, { passphrase: CANARY.repeat(500) })],
    ['a passphrase with half a pair', () => unlock(STATE.config, { passphrase: `${CANARY}\ud800` })],
    ['a passphrase in a list', () => unlock(STATE.config, { passphrase: [CANARY] } as unknown as KeySecret)],
    ['a passphrase for a recipient', () => addSlot(STATE, { recipient: CANARY }, CONTEXT)],
    ['a key as text', () => parseKey(utf8Encode(CANARY))],
    ['an identity', () => parseIdentity(CANARY)],
    ['an identity with a seed of text', () => parseIdentity(JSON.stringify({ seed: CANARY, [CANARY]: 1 }))],
    ['an identity of half a document', () => parseIdentity(`{"seed": "${CANARY}`)],
    ['a seed', () => importSeed('ed25519', CANARY)],
    ['a credential', () => parseWriterCredential(JSON.stringify({ idKey: CANARY }))],
    ['a credential of half a document', () => parseWriterCredential(`{"idKey": "${CANARY}`)],
    ['a public line', () => parsePublicIdentity(CANARY)],
    ['a share', () => combineIdentity([`${share} ${CANARY}`, CANARY])],
    ['a signature', () => parseSignatureDocument(CANARY)],
  ])('is not repeated: %s', async (_, call) => {
    expect(shown(await rejected(call))).not.toContain(CANARY);
  });

  it.each<[string, (file: string) => Promise<unknown>]>([
    ['key file', readKeyFile],
    ['identity', readIdentity],
    ['credential', readWriterCredential],
  ])('is not repeated out of a file: %s', async (name, read) => {
    const file = path.join(folder.path, name);
    await writeFile(file, `{"seed": "${CANARY}"`, { mode: 0o600 });
    expect(shown(await rejected(() => read(file)))).not.toContain(CANARY);
  });

  it('is not repeated out of a share', async () => {
    const identity = generateIdentity('ed25519', CONTEXT.random);
    const [first = '', second = ''] = await splitIdentity(identity, { shares: 2, threshold: 2 }, CONTEXT.random);
    const error = await rejected(() => combineIdentity([first, second.slice(0, -1)]));
    for (const part of second.split(/[^A-Za-z0-9]/).filter((one) => one.length > 8)) {
      expect(shown(error)).not.toContain(part);
    }
  });
});

describe('what holds secrets', () => {
  it('shows none of them when it is logged or made JSON', async () => {
    const identity = generateIdentity('ml-kem-1024', CONTEXT.random);
    const { keyring, credential, config } = exportWriter(STATE, { label: 'w' }, CONTEXT);
    const { masterKey, ring } = materialOf(keyring);
    const { schedule, secrets } = keyring;
    const texts = [
      keyring,
      secrets,
      schedule,
      credential,
      identity,
      { keyring, config },
      { secrets, identity },
      [credential],
    ]
      .map((value) => shown(value))
      .join('\n');
    const hidden = [masterKey, ring.store, identity.seed, credential.idKey, credential.signingSeed, KEY];
    hidden.push(...ring.epochs.map(({ secret }) => secret), ...ring.namespaces.map(({ secret }) => secret));
    for (const secret of hidden) {
      for (const spelling of spellings(secret)) expect(texts).not.toContain(spelling);
    }
    expect(texts).not.toContain(credential.chunkerSeed.toString());
    expect(texts).not.toContain(exportSeed(identity, 'base64').slice(0, 20));
  });

  it('shows none in the epochs, namespaces and writers it tells of', () => {
    const { keyring } = exportWriter(STATE, { label: 'w' }, CONTEXT);
    const { ring } = materialOf(keyring);
    const texts = shown([keyring.epochs, keyring.namespaces, keyring.writers]);
    for (const { secret } of [...ring.epochs, ...ring.namespaces]) {
      for (const spelling of spellings(secret)) expect(texts).not.toContain(spelling);
    }
  });

  it('gives its secrets to a worker all the same', () => {
    expect(structuredClone(STATE.keyring.secrets)).toEqual(STATE.keyring.secrets);
    expect(STATE.keyring.secrets.store).toHaveLength(32);
  });
});
