import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { seededRandom } from '../testing/index.ts';
import { generateIdentity, type Identity } from './identity.ts';
import { formatPublicIdentity } from './public-identity.ts';
import { parseSignatureDocument, signRoot, verifySignatureDocument } from './signature-document.ts';

const { bytes: random } = seededRandom(9);
const ROOT = `blake3:${'0123456789abcdef'.repeat(4)}`;

describe.each(['ml-dsa-87', 'ed25519'] as const)('a signature document of %s', (algorithm) => {
  const identity = generateIdentity(algorithm, random);
  const signer = formatPublicIdentity(identity);
  const document = signRoot(identity, ROOT, 'snapshot');

  it('is verified with the public line alone', () => {
    expect(verifySignatureDocument(document, { signer, text: ROOT, context: 'snapshot' })).toBe(true);
    expect(verifySignatureDocument(document, { signer: identity, text: ROOT, context: 'snapshot' })).toBe(true);
    expect(verifySignatureDocument(signRoot(identity, ROOT), { signer, text: ROOT })).toBe(true);
  });

  it('says what it signs, and not with what', () => {
    expect(parseSignatureDocument(document)).toEqual({
      algorithm,
      signer: identity.fingerprint,
      context: 'snapshot',
      text: ROOT,
    });
    expect(document).not.toContain(Buffer.from(identity.seed).toString('base64'));
  });

  it('is of no other text, context or signer', () => {
    const other = generateIdentity(algorithm, random);
    expect(verifySignatureDocument(document, { signer, text: ROOT })).toBe(false);
    expect(verifySignatureDocument(document, { signer, text: `${ROOT}0`, context: 'snapshot' })).toBe(false);
    expect(verifySignatureDocument(document, { signer: other, text: ROOT, context: 'snapshot' })).toBe(false);
  });

  it.each([
    ['text', { text: ROOT.replace('0', '1') }],
    ['context', { context: '' }],
    ['signature', { signature: Buffer.alloc(64).toString('base64') }],
  ])('does not verify with another %s written into it', (_, change) => {
    const forged = { ...JSON.parse(document), ...change };
    const { text, context } = forged;
    expect(verifySignatureDocument(JSON.stringify(forged), { signer, text, context })).toBe(false);
  });

  it('does not verify with the name of another signer written into it', () => {
    const other: Identity = generateIdentity(algorithm, random);
    const forged = JSON.stringify({ ...JSON.parse(document), signer: other.fingerprint });
    expect(verifySignatureDocument(forged, { signer: other, text: ROOT, context: 'snapshot' })).toBe(false);
    expect(verifySignatureDocument(forged, { signer, text: ROOT, context: 'snapshot' })).toBe(false);
  });

  it('does not verify with any bit of its signature flipped', () => {
    const parsed = JSON.parse(document);
    const signature = Buffer.from(parsed.signature, 'base64');
    for (let at = 0; at < signature.length; at += Math.ceil(signature.length / 40)) {
      const flipped = Buffer.from(signature);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const forged = JSON.stringify({ ...parsed, signature: flipped.toString('base64') });
      expect(verifySignatureDocument(forged, { signer, text: ROOT, context: 'snapshot' }), `byte ${at}`).toBe(false);
    }
  });

  it.each([
    ['another type', { type: 'holdfast identity' }],
    ['another algorithm', { algorithm: 'rsa' }],
    ['no base64', { signature: '!' }],
    ['a member too many', { x: 1 }],
  ])('is refused with %s', (_, change) => {
    const forged = JSON.stringify({ ...JSON.parse(document), ...change });
    const verify = () => verifySignatureDocument(forged, { signer, text: ROOT, context: 'snapshot' });
    expect(outcomeOf(verify)).toBe('invalid/CREDENTIAL_INVALID');
  });

  it('of a later version asks for a newer Holdfast', () => {
    const later = JSON.stringify({ ...JSON.parse(document), version: 2 });
    const verify = () => verifySignatureDocument(later, { signer, text: ROOT });
    expect(outcomeOf(verify)).toBe('unsupported/FORMAT_UNSUPPORTED');
  });
});

describe('signing', () => {
  it('takes an identity that signs, and text', () => {
    const kem = generateIdentity('ml-kem-1024', random);
    expect(outcomeOf(() => signRoot(kem, ROOT))).toBe('invalid/CREDENTIAL_INVALID');
    expect(outcomeOf(() => signRoot(generateIdentity('ed25519', random), '\ud800'))).toBe('TypeError');
    expect(outcomeOf(() => verifySignatureDocument('{}', { signer: kem, text: ROOT }))).toBe(
      'invalid/CREDENTIAL_INVALID',
    );
  });
});
