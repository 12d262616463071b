/** Messages of put-only writers: heads, what is sealed in them, and parts. */
import { concatBytes, EMPTY_BYTES } from '../../../src/bytes/bytes.ts';
import { sealAead } from '../../../src/crypto/aead.ts';
import { createKemKeyPair } from '../../../src/crypto/kem.ts';
import { createSigner } from '../../../src/crypto/signature.ts';
import { encodeCbor } from '../../../src/format/cbor.ts';
import { checkOf } from '../../../src/format/check.ts';
import {
  decodeMessageHead,
  encodeMessageHead,
  type MessageEntry,
  messageFail,
  messageKeys,
  messageText,
  openMessageHead,
  openMessagePart,
  readPieces,
  sealMessagePart,
  verifyMessageHead,
} from '../../../src/format/index.ts';
import { patternBytes, SAMPLE_STORE } from '../../support/format-samples.ts';
import { EPOCH, sampleSchedule, TENANT } from '../../support/sealed-samples.ts';
import { mustBeBytes, mustEqual, mustHold } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { CBOR_MUTATIONS } from '../mutations/cbor.ts';
import { newerCbor, newerPrelude, withCheck } from './frames.ts';
import { goldenHex } from './golden.ts';

const PLACE = { store: SAMPLE_STORE, message: patternBytes(16, 95), namespace: TENANT, epoch: EPOCH };
const MESSAGE = messageText(PLACE.message);
const HEAD = goldenHex('inbox/head.hex');
const PART = goldenHex('inbox/part.hex');
const SIGNER = createSigner('ed25519', patternBytes(32, 96));
const { ciphertext } = decodeMessageHead(HEAD, MESSAGE);
const KEYS = messageKeys(
  PLACE,
  createKemKeyPair(sampleSchedule().writerKemSeed(TENANT, EPOCH)).decapsulate(ciphertext),
);
const fail = messageFail(MESSAGE);

const FRONT_BYTES = 1664;
const TAIL_BYTES = 16 + 64 + 16;
const LENGTH_AT = 56;

const head = fuzzTarget({
  name: 'message-head',
  samples: () => [HEAD],
  mutations: BYTE_MUTATIONS,
  repair: (input) => withCheck(input),
  newer: (sample, random) => withCheck(newerPrelude(sample, random)),
  read: (input) => {
    const decoded = decodeMessageHead(input, MESSAGE);
    return { isSigned: verifyMessageHead(decoded), entry: openMessageHead(decoded, KEYS) };
  },
  check: ({ isSigned }, input) => {
    // The seal covers the front and what is sealed, the signature these and the tag.
    mustBeBytes(
      input.subarray(0, input.length - TAIL_BYTES),
      HEAD.subarray(0, HEAD.length - TAIL_BYTES),
      'what opened',
    );
    if (isSigned) mustBeBytes(input, HEAD, 'what was signed');
  },
  errors: ['MESSAGE_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

/** A head with whatever stands in its seal, signed and checked as a writer would. */
function headAround(plain: Uint8Array): Uint8Array {
  const front = HEAD.slice(0, FRONT_BYTES);
  new DataView(front.buffer).setUint32(LENGTH_AT, plain.length, true);
  const { sealed, tag } = sealAead(KEYS.head, { nonce: new Uint8Array(12), aad: front }, plain);
  const signed = concatBytes([front, sealed, tag]);
  const signature = SIGNER.sign(concatBytes([Buffer.from('holdfast message signature v1'), signed]));
  return concatBytes([signed, signature, checkOf(signed, signature)]);
}

function paddedEntry(content: Uint8Array): Uint8Array {
  const plain = new Uint8Array(Math.max(512, 4 + content.length));
  new DataView(plain.buffer).setUint32(0, content.length, true);
  plain.set(content, 4);
  return plain;
}

/** CBOR of the entry of the golden head, as it lies in its seal. */
function entryContent(entry: MessageEntry): Uint8Array {
  const encoded = encodeMessageHead(PLACE, entry, { keys: KEYS, ciphertext, signer: SIGNER });
  mustBeBytes(encoded, HEAD, 'the golden head');
  const { key, contentType = null, attributes, digest, size, parts } = entry;
  return encodeCbor([1, key, contentType, new Map(Object.entries(attributes)), digest, size, parts]);
}

const entry = fuzzTarget<MessageEntry>({
  name: 'message-entry',
  samples: () => [entryContent(openMessageHead(decodeMessageHead(HEAD, MESSAGE), KEYS))],
  mutations: CBOR_MUTATIONS,
  newer: newerCbor,
  read: (input) => {
    const decoded = decodeMessageHead(headAround(paddedEntry(input)), MESSAGE);
    mustHold(verifyMessageHead(decoded), 'a head is not signed by its writer');
    return openMessageHead(decoded, KEYS);
  },
  check: (value, input) => {
    const { key, contentType = null, attributes, digest, size, parts } = value;
    mustBeBytes(
      encodeCbor([1, key, contentType, new Map(Object.entries(attributes)), digest, size, parts]),
      input,
      'the entry of the message',
    );
  },
  errors: ['MESSAGE_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

/** A piece as `docs/format.md` has it, read by somebody who knows nothing else; bytes as they lie in the part. */
type StrangerPiece = { readonly bytes: Uint8Array } | { readonly digest: Uint8Array; readonly length: number };

/** @returns `undefined` where the run of pieces is none */
function piecesByTheBook(plain: Uint8Array): readonly StrangerPiece[] | undefined {
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  const pieces: StrangerPiece[] = [];
  for (let at = 0; at < plain.length && plain[at] !== 0; ) {
    const [start, code] = [at, plain[at]];
    const words = code === 2 ? 2 : 1;
    if (at + 1 + 4 * words > plain.length || code === undefined || code > 3) return undefined;
    const numbers = Array.from({ length: words }, (_, index) => view.getUint32(start + 1 + 4 * index, true));
    const [first = 0, second = 0] = numbers;
    at += 1 + 4 * words;
    if (code === 2) {
      if (first + second > start) return undefined;
      pieces.push({ bytes: plain.subarray(first, first + second) });
      continue;
    }
    const length = code === 1 ? first : 32;
    if (at + length > plain.length || (code === 3 && (first === 0 || first > 2 ** 25))) return undefined;
    const content = plain.subarray(at, at + length);
    pieces.push(code === 1 ? { bytes: content } : { digest: content, length: first });
    at += length;
  }
  return pieces;
}

const pieces = fuzzTarget({
  name: 'message-pieces',
  samples: () => [openMessagePart(KEYS.part, { index: 0, bytes: PART }, fail)],
  mutations: BYTE_MUTATIONS,
  read: (input) => [...readPieces(input, fail)],
  check: (found, input) => mustEqual(found, piecesByTheBook(input), 'the run of pieces'),
  errors: ['MESSAGE_CORRUPT'],
});

const part = fuzzTarget({
  name: 'message-part',
  samples: () => [PART, sealMessagePart(KEYS.part, 0, EMPTY_BYTES)],
  mutations: BYTE_MUTATIONS,
  read: (input) => openMessagePart(KEYS.part, { index: 0, bytes: input }, fail),
  check: (plain, input) => mustBeBytes(sealMessagePart(KEYS.part, 0, plain), input, 'the part'),
  errors: ['MESSAGE_CORRUPT'],
});

export const INBOX_TARGETS: readonly FuzzTarget[] = [head, entry, pieces, part];
