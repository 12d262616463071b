/**
 * Golden files of a message: head and part. They are only ever added to. Encapsulation is random; all but the ciphertext
 * follows from fixed secrets, so with the ciphertext of the golden head the same bytes must come out again.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex, utf8Encode } from '../../src/bytes/bytes.ts';
import { createKemKeyPair, encapsulate } from '../../src/crypto/kem.ts';
import { createSigner } from '../../src/crypto/signature.ts';
import {
  decodeMessageHead,
  encodeMessageHead,
  type MessageEntry,
  messageFail,
  messageKeys,
  messageText,
  openMessageHead,
  openMessagePart,
  PartBuilder,
  readPieces,
  sealMessagePart,
  verifyMessageHead,
} from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import { patternBytes, SAMPLE_CHUNKS, SAMPLE_STORE } from '../support/format-samples.ts';
import { EPOCH, sampleSchedule, TENANT } from '../support/sealed-samples.ts';
import { formatHex, parseHex } from './format-files.ts';
import { openHead, openPart } from './stranger-inbox.ts';

const FOLDER = path.resolve(import.meta.dirname, 'v1/inbox');
const PLACE = { store: SAMPLE_STORE, message: patternBytes(16, 95), namespace: TENANT, epoch: EPOCH };
const MESSAGE = messageText(PLACE.message);
const SIGNER = createSigner('ed25519', patternBytes(32, 96));
const KEM_SEED = sampleSchedule().writerKemSeed(TENANT, EPOCH);
const [FIRST = new Uint8Array(0), SECOND = new Uint8Array(0)] = SAMPLE_CHUNKS;
/** The first chunk twice as bytes, the second one out of the store. */
const CONTENT = concatBytes([FIRST, FIRST, SECOND]);
const ENTRY: MessageEntry = {
  key: utf8Encode('docs/report.pdf'),
  contentType: 'application/pdf',
  attributes: { author: 'Ada' },
  ...{ digest: blake3(CONTENT), size: CONTENT.length, parts: 1 },
};

function part(): Uint8Array {
  const builder = new PartBuilder();
  builder.addBytes(FIRST, blake3(FIRST));
  builder.addBytes(FIRST, blake3(FIRST));
  builder.addStored(blake3(SECOND), SECOND.length);
  return builder.finish();
}

function message(
  ciphertext: Uint8Array,
  sharedKey: Uint8Array,
): { readonly head: Uint8Array; readonly part: Uint8Array } {
  const keys = messageKeys(PLACE, sharedKey);
  const head = encodeMessageHead(PLACE, ENTRY, { keys, ciphertext, signer: SIGNER });
  return { head, part: sealMessagePart(keys.part, 0, part()) };
}

if (process.env.HOLDFAST_GOLDEN === 'write' && !existsSync(FOLDER)) {
  const { ciphertext, sharedKey } = encapsulate(createKemKeyPair(KEM_SEED).publicKey);
  mkdirSync(FOLDER, { recursive: true });
  const made = message(ciphertext, sharedKey);
  writeFileSync(path.join(FOLDER, 'head.hex'), formatHex(made.head));
  writeFileSync(path.join(FOLDER, 'part.hex'), formatHex(made.part));
}

function golden(name: string): Uint8Array {
  return parseHex(readFileSync(path.join(FOLDER, name), 'utf8'));
}

describe('the golden message', () => {
  const head = decodeMessageHead(golden('head.hex'), MESSAGE);
  const sharedKey = createKemKeyPair(KEM_SEED).decapsulate(head.ciphertext);
  const keys = messageKeys(PLACE, sharedKey);

  it('is what is still read', () => {
    expect(head).toMatchObject({ ...PLACE, writer: SIGNER.publicKey });
    expect(verifyMessageHead(head)).toBe(true);
    expect(openMessageHead(head, keys)).toEqual(ENTRY);
    const fail = messageFail(MESSAGE);
    const plain = openMessagePart(keys.part, { index: 0, bytes: golden('part.hex') }, fail);
    const pieces = Array.from(readPieces(plain, fail), ({ bytes, digest }) => toHex(bytes ?? digest));
    expect(pieces).toEqual([toHex(FIRST), toHex(FIRST), toHex(blake3(SECOND))]);
  });

  it('is what is still written', () => {
    const made = message(head.ciphertext, sharedKey);
    expect(toHex(made.head)).toBe(toHex(golden('head.hex')));
    expect(toHex(made.part)).toBe(toHex(golden('part.hex')));
  });

  it('is opened by a reader written from docs/format.md alone', () => {
    const { values, partKey } = openHead(Buffer.from(golden('head.hex')), KEM_SEED);
    const { key, contentType, attributes, digest, size, parts } = ENTRY;
    const plain = (bytes: unknown): string => toHex(bytes as Uint8Array);
    const [version, name, type, named, hash, ...counts] = values;
    expect([version, plain(name), type, plain(hash), ...counts]).toEqual([
      ...[1, toHex(key), contentType, toHex(digest), size, parts],
    ]);
    expect(named).toEqual(new Map(Object.entries(attributes)));
    const chunkOf = (id: string): Uint8Array => {
      expect(id).toBe(toHex(blake3(SECOND)));
      return SECOND;
    };
    const content = openPart(Buffer.from(golden('part.hex')), { partKey, index: 0 }, chunkOf);
    expect(toHex(content)).toBe(toHex(CONTENT));
  });
});
