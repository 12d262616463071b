/**
 * Golden files of keys: a config of a sealed store with what opens it, and each kind of file of a secret. They are only
 * ever added to. Encapsulation is random, so they cannot be made again: what is tested is that they stay readable.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex, utf8Decode, utf8Encode } from '../../src/bytes/bytes.ts';
import { decodeStoreConfig, encodeStoreConfig, type SealedStoreConfig } from '../../src/format/index.ts';
import {
  addNamespace,
  combineIdentity,
  createSealed,
  exportWriter,
  formatIdentity,
  formatKey,
  formatPublicIdentity,
  formatWriterCredential,
  generateIdentity,
  IDENTITY_ALGORITHMS,
  type KeySecret,
  listSlots,
  parseIdentity,
  parseKey,
  parsePublicIdentity,
  parseWriterCredential,
  rotate,
  signRoot,
  splitIdentity,
  unlock,
  verifySignatureDocument,
} from '../../src/keys/index.ts';
import { materialOf } from '../../src/keys/keyring.ts';
import { encodeRing } from '../../src/keys/ring.ts';
import { keyContext, sealedBase } from '../support/sealed.ts';
import { openConfig, type StrangerSecret } from './stranger-keys.ts';

const FOLDER = path.resolve(import.meta.dirname, 'v1/keys');
const PASSPHRASE = 'correct horse battery Stäpel';
const ROOT = `blake3:${'00112233445566778899aabbccddeeff'.repeat(2)}`;

async function makeFiles(): Promise<Readonly<Record<string, string>>> {
  const context = keyContext(1);
  const [kem, dsa, ed25519] = IDENTITY_ALGORITHMS.map((algorithm) => generateIdentity(algorithm, context.random));
  if (!kem || !dsa || !ed25519) throw new Error('there are three algorithms');
  const key = context.random(32);
  const slots = [{ passphrase: PASSPHRASE }, { key, label: 'safe' }, { recipient: kem, label: 'Zoë' }];
  const made = await createSealed(sealedBase(), slots, context);
  const next = addNamespace(rotate(made, context), { name: 'tenant', quotaBytes: 1_000_000 }, context);
  const { config, credential, keyring } = exportWriter(next, { label: 'scanner', namespace: 'tenant' }, context);
  return {
    'holdfast.json': utf8Decode(encodeStoreConfig(config)),
    'ring.hex': `${toHex(encodeRing(materialOf(keyring).ring))}\n`,
    'master.key': utf8Decode(formatKey(key)),
    'ml-kem-1024.identity': formatIdentity(kem),
    'ml-dsa-87.identity': formatIdentity(dsa),
    'ed25519.identity': formatIdentity(ed25519),
    'public-lines.txt': [kem, dsa, ed25519].map((one) => `${formatPublicIdentity(one)}\n`).join(''),
    'shares.txt': `${(await splitIdentity(kem, { shares: 3, threshold: 2 }, context.random)).join('\n')}\n`,
    'ml-dsa-87.signature': signRoot(dsa, ROOT, 'golden'),
    'ed25519.signature': signRoot(ed25519, ROOT, 'golden'),
    'scanner.writer': formatWriterCredential(credential),
  };
}

if (process.env.HOLDFAST_GOLDEN === 'write' && !existsSync(FOLDER)) {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(await makeFiles())) writeFileSync(path.join(FOLDER, name), text);
}

const golden = (name: string): string => readFileSync(path.join(FOLDER, name), 'utf8');
const CONFIG = decodeStoreConfig(utf8Encode(golden('holdfast.json'))) as SealedStoreConfig;
const KEY = parseKey(utf8Encode(golden('master.key')));
const KEM = parseIdentity(golden('ml-kem-1024.identity'));

describe('the golden files of keys', () => {
  it('are all there, and nothing else', async () => {
    expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(await makeFiles()).sort());
  });

  it.each<[string, KeySecret]>([
    ['passphrase', { passphrase: PASSPHRASE }],
    ['key', { key: KEY }],
    ['identity', { identity: KEM }],
  ])('hold a store that opens with its %s', async (_, secret) => {
    const keyring = await unlock(CONFIG, secret);
    expect(`${toHex(encodeRing(materialOf(keyring).ring))}\n`).toBe(golden('ring.hex'));
    expect(keyring.epochs.map(({ number }) => number)).toEqual([1, 2]);
    expect(keyring.namespaces).toMatchObject([
      { name: 'default' },
      { number: 1, name: 'tenant', quotaBytes: 1_000_000 },
    ]);
    expect(keyring.writers).toMatchObject([{ label: 'scanner', namespace: 1 }]);
    expect(listSlots(CONFIG)).toMatchObject([{ type: 'passphrase' }, { label: 'safe' }, { label: 'Zoë' }]);
  });

  it('are spelled as this version spells them', () => {
    expect(utf8Decode(encodeStoreConfig(CONFIG))).toBe(golden('holdfast.json'));
    expect(utf8Decode(formatKey(KEY))).toBe(golden('master.key'));
    for (const algorithm of IDENTITY_ALGORITHMS) {
      expect(formatIdentity(parseIdentity(golden(`${algorithm}.identity`)))).toBe(golden(`${algorithm}.identity`));
    }
    const lines = golden('public-lines.txt').trimEnd().split('\n');
    expect(lines.map((line) => formatPublicIdentity(parsePublicIdentity(line)))).toEqual(lines);
    expect(formatWriterCredential(parseWriterCredential(golden('scanner.writer')))).toBe(golden('scanner.writer'));
  });

  it('hold shares of the identity, and signatures of the others', async () => {
    const shares = golden('shares.txt').trimEnd().split('\n');
    for (const missing of shares) {
      const restored = await combineIdentity(shares.filter((share) => share !== missing));
      expect(formatIdentity(restored)).toBe(golden('ml-kem-1024.identity'));
    }
    const [, dsa = '', ed25519 = ''] = golden('public-lines.txt').split('\n');
    const expected = { text: ROOT, context: 'golden' };
    expect(verifySignatureDocument(golden('ml-dsa-87.signature'), { signer: dsa, ...expected })).toBe(true);
    expect(verifySignatureDocument(golden('ed25519.signature'), { signer: ed25519, ...expected })).toBe(true);
  });
});

describe('a reader written from docs/format.md alone', () => {
  it.each<StrangerSecret>([
    { type: 'passphrase', bytes: utf8Encode(PASSPHRASE) },
    { type: 'key-file', bytes: KEY },
    { type: 'recipient', bytes: KEM.seed },
  ])('opens a sealed config: $type', async (secret) => {
    const { masterKey, ring } = openConfig(golden('holdfast.json'), secret);
    expect(`${toHex(ring)}\n`).toBe(golden('ring.hex'));
    expect(new Uint8Array(masterKey)).toEqual(materialOf(await unlock(CONFIG, { key: KEY })).masterKey);
  });
});
