import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { asyncOutcome, keyContext, sealedBase } from '../../test/support/sealed.ts';
import { makeTemporaryFolder } from '../testing/index.ts';
import { createSealed } from './slots.ts';
import {
  formatWriterCredential,
  parseWriterCredential,
  readWriterCredential,
  writeWriterCredential,
} from './writer-credential.ts';
import { exportWriter } from './writers.ts';

const CONTEXT = keyContext(11);
const STATE = await createSealed(sealedBase(), [{ key: CONTEXT.random(32) }], CONTEXT);
const { credential: CREDENTIAL } = exportWriter(STATE, { label: 'scanner' }, CONTEXT);
const TEXT = formatWriterCredential(CREDENTIAL);
const DOCUMENT = JSON.parse(TEXT);

const folder = await makeTemporaryFolder();
afterAll(() => folder.remove());

describe('a writer credential', () => {
  it('is kept in a file for its owner alone, never over something else', async () => {
    const file = path.join(folder.path, 'scanner.writer');
    await writeWriterCredential(file, CREDENTIAL);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe(TEXT);
    expect(await readWriterCredential(file)).toEqual(CREDENTIAL);
    expect(await asyncOutcome(writeWriterCredential(file, CREDENTIAL))).toBe('invalid/LOCATION_INVALID');
  });

  const outOfRange = Buffer.from(CREDENTIAL.publicKey);
  outOfRange.fill(0xff, 0, 3);

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['another type', { type: 'holdfast identity' }],
    ['a short store id', { storeId: '00' }],
    ['the namespace of an isolated entry', { namespace: 0x8000_0000 }],
    ['a namespace without a name', { namespaceName: '' }],
    ['epoch 0', { epoch: 0 }],
    ['a short public key', { publicKey: 'AAAA' }],
    ['a public key out of range', { publicKey: outOfRange.toString('base64') }],
    ['a short id key', { idKey: 'AAAA' }],
    ['a chunker seed that is a number', { chunkerSeed: 7 }],
    ['no chunking', { chunking: '' }],
    ['no label', { label: undefined }],
    ['a signing seed in hex', { signingSeed: Buffer.from(CREDENTIAL.signingSeed).toString('hex') }],
    ['a member too many', { masterKey: 'x' }],
  ])('is refused with %s', (_, change) => {
    const changed = JSON.stringify({ ...DOCUMENT, ...change });
    expect(outcomeOf(() => parseWriterCredential(changed))).toBe('invalid/CREDENTIAL_INVALID');
  });

  it('of a later version asks for a newer Holdfast', () => {
    const later = JSON.stringify({ ...DOCUMENT, version: 2 });
    expect(outcomeOf(() => parseWriterCredential(later))).toBe('unsupported/FORMAT_UNSUPPORTED');
  });

  it('is refused when it is cut off', () => {
    for (let length = 0; length < TEXT.length - 2; length += 13) {
      expect(outcomeOf(() => parseWriterCredential(TEXT.slice(0, length)))).toBe('invalid/CREDENTIAL_INVALID');
    }
  });
});
