import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { asyncOutcome } from '../../test/support/sealed.ts';
import { makeTemporaryFolder, seededRandom } from '../testing/index.ts';
import {
  exportSeed,
  formatIdentity,
  generateIdentity,
  Identity,
  importSeed,
  parseIdentity,
  readIdentity,
  writeIdentity,
} from './identity.ts';
import { combineIdentity, splitIdentity } from './identity-shares.ts';
import {
  formatPublicIdentity,
  IDENTITY_ALGORITHMS,
  parsePublicIdentity,
  parseRecipient,
  publicIdentity,
} from './public-identity.ts';

const { bytes: random } = seededRandom(8);
const IDENTITIES = IDENTITY_ALGORITHMS.map((algorithm) => generateIdentity(algorithm, random));
const [KEM, , ED25519] = IDENTITIES as [Identity, Identity, Identity];
const NAMED = IDENTITIES.map((identity) => [identity.algorithm, identity] as const);

const folder = await makeTemporaryFolder();
afterAll(() => folder.remove());

describe.each(NAMED)('an identity for %s', (algorithm, identity) => {
  it('reads back from its text, and from its file for its owner alone', async () => {
    const file = path.join(folder.path, `${algorithm}.identity`);
    await writeIdentity(file, identity);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe(formatIdentity(identity));
    for (const read of [parseIdentity(formatIdentity(identity)), await readIdentity(file)]) {
      expect(read.seed).toEqual(identity.seed);
      expect(read.publicKey).toEqual(identity.publicKey);
      expect(read.fingerprint).toBe(identity.fingerprint);
    }
    expect(await asyncOutcome(writeIdentity(file, identity))).toBe('invalid/LOCATION_INVALID');
  });

  it('goes through bytes, hex and base64', () => {
    const forms = [identity.seed, exportSeed(identity, 'hex'), exportSeed(identity, 'base64')];
    for (const form of [...forms, `${exportSeed(identity, 'hex').toUpperCase()}\n`]) {
      expect(importSeed(algorithm, form).fingerprint).toBe(identity.fingerprint);
    }
    expect(outcomeOf(() => importSeed(algorithm, 'not a seed'))).toBe('invalid/CREDENTIAL_INVALID');
    expect(outcomeOf(() => importSeed(algorithm, identity.seed.subarray(1)))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it('has a public line that tells the same key and fingerprint', () => {
    const line = formatPublicIdentity(identity);
    expect(line.split(' ')).toHaveLength(3);
    const { publicKey, fingerprint } = identity;
    expect(parsePublicIdentity(`  ${line}\n`)).toEqual({ algorithm, publicKey, fingerprint });
  });

  it('comes back from any of its shares that suffice, and from no fewer', async () => {
    const shares = await splitIdentity(identity, { shares: 4, threshold: 3 }, random);
    expect(shares).toHaveLength(4);
    for (const missing of shares) {
      const restored = await combineIdentity(shares.filter((share) => share !== missing).toReversed());
      expect(formatIdentity(restored)).toBe(formatIdentity(identity));
    }
    expect(await asyncOutcome(combineIdentity(shares.slice(0, 2)))).toBe('invalid/CREDENTIAL_INVALID');
    const others = await splitIdentity(identity, { shares: 4, threshold: 3 }, random);
    const mixed = [...shares.slice(0, 2), ...others.slice(2, 3)];
    expect(await asyncOutcome(combineIdentity(mixed))).toBe('invalid/CREDENTIAL_INVALID');
  });
});

describe('an identity', () => {
  const document = JSON.parse(formatIdentity(KEM));
  const other = JSON.parse(formatIdentity(generateIdentity('ml-kem-1024', random)));

  it.each<[string, unknown]>([
    ['another type', { ...document, type: 'holdfast writer' }],
    ['another algorithm', { ...document, algorithm: 'ml-kem-768' }],
    ['the algorithm of another seed', { ...document, algorithm: 'ed25519' }],
    ['the seed of another', { ...document, seed: other.seed }],
    ['the public key of another', { ...document, publicKey: other.publicKey }],
    ['the fingerprint of another', { ...document, fingerprint: other.fingerprint }],
    ['a seed in hex', { ...document, seed: exportSeed(KEM, 'hex') }],
    ['a member too many', { ...document, x: 1 }],
    ['no seed', { ...document, seed: undefined }],
    ['nothing', null],
  ])('is refused with %s', (_, changed) => {
    expect(outcomeOf(() => parseIdentity(JSON.stringify(changed)))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it('of a later version asks for a newer Holdfast', () => {
    const later = JSON.stringify({ ...document, version: 2, more: 1 });
    expect(outcomeOf(() => parseIdentity(later))).toBe('unsupported/FORMAT_UNSUPPORTED');
  });

  it.each([
    ['half of itself', formatIdentity(KEM).slice(0, 100)],
    ['no text', new Uint8Array([0xff])],
    ['a very long text', 'x'.repeat(70_000)],
  ])('is refused as %s, without a word of it', (_, text) => {
    const error = (() => {
      try {
        return parseIdentity(text);
      } catch (thrown) {
        return thrown as Error;
      }
    })();
    expect(error).toMatchObject({ code: 'CREDENTIAL_INVALID' });
    expect((error as Error).cause).toBeUndefined();
    expect((error as Error).message).not.toContain(document.seed.slice(0, 8));
  });

  it('is made of its seed alone', () => {
    expect(new Identity('ed25519', ED25519.seed).publicKey).toEqual(ED25519.publicKey);
    ED25519.seed.fill(0);
    expect(importSeed('ed25519', ED25519.seed).fingerprint).toBe(ED25519.fingerprint);
  });

  it('has the public key that RFC 8032, section 7.1, test 1 gives for its seed', () => {
    const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
    const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    expect(Buffer.from(importSeed('ed25519', seed).publicKey).toString('hex')).toBe(publicKey);
  });

  it('names algorithms it knows', () => {
    expect(outcomeOf(() => generateIdentity('rsa' as 'ed25519', random))).toBe('TypeError');
    expect(outcomeOf(() => importSeed('rsa' as 'ed25519', '00'))).toBe('TypeError');
  });
});

describe('a public line', () => {
  const line = formatPublicIdentity(KEM);
  const [word = '', algorithm = '', key = ''] = line.split(' ');

  it.each([
    ['two words', `${word} ${key}`],
    ['four words', `${line} me`],
    ['the word of signers', line.replace('recipient', 'signer')],
    ['a later version', line.replace('-1', '-2')],
    ['another algorithm', `${word} rsa ${key}`],
    ['a key too short', `${word} ${algorithm} ${key.slice(4)}`],
    ['no base64', `${word} ${algorithm} ${key.slice(1)}`],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => {
    expect(outcomeOf(() => parsePublicIdentity(text))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it.each([KEM, ED25519])('is refused with any letter of its key mistyped: $algorithm', (identity) => {
    const whole = formatPublicIdentity(identity);
    const start = whole.lastIndexOf(' ') + 1;
    // Of the letters of a long key every seventh: they are all alike.
    const step = whole.length > 1000 ? 7 : 1;
    for (let at = start; at < whole.length; at += step) {
      const typed = whole[at] === 'A' ? 'B' : 'A';
      const mistyped = whole.slice(0, at) + typed + whole.slice(at + 1);
      expect(outcomeOf(() => parsePublicIdentity(mistyped))).toBe('invalid/CREDENTIAL_INVALID');
    }
  });

  it('is refused with two letters exchanged, and with the check of another line', () => {
    const at = line.length - 100;
    const swapped = `${line.slice(0, at)}${line[at + 1]}${line[at]}${line.slice(at + 2)}`;
    expect(swapped).not.toBe(line);
    const other = Buffer.from(
      formatPublicIdentity(generateIdentity('ml-kem-1024', random)).split(' ')[2] ?? '',
      'base64',
    );
    const mixed = Buffer.concat([KEM.publicKey, other.subarray(-4)]).toString('base64');
    for (const text of [swapped, `${word} ${algorithm} ${mixed}`])
      expect(() => parsePublicIdentity(text)).toThrow('typing error');
  });

  it('is refused with coefficients out of range (FIPS 203, section 7.2)', () => {
    const wrong = KEM.publicKey.slice();
    wrong.fill(0xff, 0, 3);
    expect(outcomeOf(() => publicIdentity('ml-kem-1024', wrong))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it('of a signer is no recipient', () => {
    expect(parseRecipient(line).fingerprint).toBe(KEM.fingerprint);
    expect(outcomeOf(() => parseRecipient(formatPublicIdentity(ED25519)))).toBe('invalid/CREDENTIAL_INVALID');
  });
});
