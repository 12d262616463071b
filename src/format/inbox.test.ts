import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caught, outcomeOf } from '../../test/support/caught.ts';
import { sampleSchedule, TENANT } from '../../test/support/sealed-samples.ts';
import { concatBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { createKemKeyPair, encapsulate } from '../crypto/kem.ts';
import { padmeBytes } from '../crypto/padme.ts';
import { createSigner } from '../crypto/signature.ts';
import { blake3 } from '../hash/index.ts';
import {
  ATTRIBUTES_BYTES_MAX,
  CHUNK_BYTES_MAX,
  INBOX_HEAD_BYTES_MAX,
  INBOX_PART_BYTES,
  INBOX_PARTS_MAX,
} from '../limits.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import {
  decapsulateMessageKeys,
  decodeMessageHead,
  encodeMessageHead,
  type MessageEntry,
  messageFail,
  messageKeys,
  openMessageHead,
  verifyMessageHead,
} from './inbox-head.ts';
import { messageHeadKey, messagePartKey, messageText, parseInboxKey } from './inbox-names.ts';
import { openMessagePart, PartBuilder, readPieces, sealMessagePart } from './inbox-part.ts';

const random = seededRandom(21);
const PLACE = { store: random.bytes(16), message: random.bytes(16), namespace: 7, epoch: 3 };
const MESSAGE = messageText(PLACE.message);
const PAIR = createKemKeyPair(random.bytes(64));
const SIGNER = createSigner('ed25519', random.bytes(32));
const ENTRY: MessageEntry = {
  key: utf8Encode('docs/report.pdf'),
  contentType: 'application/pdf',
  attributes: { a: 'b' },
  digest: random.bytes(32),
  size: 123_456_789,
  parts: 9,
};

function headOf(entry: MessageEntry, place = PLACE): Uint8Array {
  const { ciphertext, sharedKey } = encapsulate(PAIR.publicKey);
  return encodeMessageHead(place, entry, { keys: messageKeys(place, sharedKey), ciphertext, signer: SIGNER });
}

function opened(bytes: Uint8Array, place = PLACE): MessageEntry {
  const head = decodeMessageHead(bytes, MESSAGE);
  return openMessageHead(head, messageKeys(place, PAIR.decapsulate(head.ciphertext)));
}

const fail = messageFail(MESSAGE);

describe('the head of a message', () => {
  it('gives back what it was made of', () => {
    const { contentType: _none, ...bare } = ENTRY;
    for (const entry of [ENTRY, { ...bare, attributes: {}, size: 0, parts: 0 }]) {
      const bytes = headOf(entry);
      expect(decodeMessageHead(bytes, MESSAGE)).toMatchObject({ ...PLACE, writer: SIGNER.publicKey });
      expect(verifyMessageHead(decodeMessageHead(bytes, MESSAGE))).toBe(true);
      expect(opened(bytes)).toStrictEqual(entry);
    }
  });

  it('opens for whoever holds the keys of its namespace', () => {
    const schedule = sampleSchedule();
    const place = { ...PLACE, namespace: TENANT, epoch: 2 };
    const pair = createKemKeyPair(schedule.writerKemSeed(TENANT, 2));
    const { ciphertext, sharedKey } = encapsulate(pair.publicKey);
    const bytes = encodeMessageHead(place, ENTRY, { keys: messageKeys(place, sharedKey), ciphertext, signer: SIGNER });
    const head = decodeMessageHead(bytes, MESSAGE);
    expect(openMessageHead(head, decapsulateMessageKeys(head, schedule))).toEqual(ENTRY);
    schedule.forget(TENANT);
    expect(outcomeOf(() => decapsulateMessageKeys(head, schedule))).toBe('denied/NAMESPACE_KEY_GONE');
  });

  it('is made of what has its length', () => {
    const { ciphertext, sharedKey } = encapsulate(PAIR.publicKey);
    const keys = messageKeys(PLACE, sharedKey);
    const make = (entry: Partial<MessageEntry>, { place = PLACE, sealedKey = ciphertext } = {}) =>
      outcomeOf(() =>
        encodeMessageHead(place, { ...ENTRY, ...entry }, { keys, ciphertext: sealedKey, signer: SIGNER }),
      );
    expect(make({})).toBe('no error');
    for (const outcome of [
      make({ key: new Uint8Array(0) }),
      make({ key: new Uint8Array(1025) }),
      make({ digest: random.bytes(31) }),
      make({}, { sealedKey: ciphertext.subarray(1) }),
      make({}, { place: { ...PLACE, store: random.bytes(15) } }),
      make({}, { place: { ...PLACE, message: random.bytes(15) } }),
    ])
      expect(outcome).toBe('internal/INVARIANT_BROKEN');
  });

  it('says which blob is damaged', () => {
    expect(caught(() => decodeMessageHead(new Uint8Array(0), MESSAGE))).toMatchObject({
      ...{ code: 'MESSAGE_CORRUPT', details: { backendKey: messageHeadKey(MESSAGE) } },
    });
  });

  it('has one length for keys and attributes of the usual ones, and fits with the largest', () => {
    const short = headOf({ ...ENTRY, key: utf8Encode('a') });
    expect(headOf({ ...ENTRY, key: utf8Encode('a'.repeat(300)) })).toHaveLength(short.length);
    const value = 'v'.repeat(ATTRIBUTES_BYTES_MAX - 20);
    const largest = headOf({ ...ENTRY, key: utf8Encode('k'.repeat(1024)), attributes: { value } });
    expect(largest.length).toBeLessThan(INBOX_HEAD_BYTES_MAX);
    expect(opened(largest).attributes).toEqual({ value });
  });

  it('opens in its own place only', () => {
    const bytes = headOf(ENTRY);
    const others = [{ store: random.bytes(16) }, { message: random.bytes(16) }, { namespace: 8 }, { epoch: 4 }];
    for (const other of others) {
      expect(() => opened(bytes, { ...PLACE, ...other })).toThrow('does not open under its key');
    }
    const head = decodeMessageHead(bytes, MESSAGE);
    const { sharedKey } = encapsulate(PAIR.publicKey);
    expect(() => openMessageHead(head, messageKeys(PLACE, sharedKey))).toThrow('does not open under its key');
    expect(() => decodeMessageHead(bytes, 'ab'.repeat(16))).toThrow('head of another message');
    expect(() => decodeMessageHead(bytes.subarray(1), MESSAGE)).toThrow('magic');
    expect(() => decodeMessageHead(bytes.subarray(0, 100), MESSAGE)).toThrow('100 bytes');
    expect(() => decodeMessageHead(new Uint8Array(INBOX_HEAD_BYTES_MAX + 1), MESSAGE)).toThrow('bytes');
  });
});

describe('a part of a message', () => {
  /** The content that pieces stand for; `stored` gives the chunks of the store. */
  function contentOf(plain: Uint8Array, stored: ReadonlyMap<string, Uint8Array> = new Map()): Uint8Array {
    const pieces = Array.from(readPieces(plain, fail), (piece) => piece.bytes ?? stored.get(toHex(piece.digest)));
    return concatBytes(pieces.map((bytes) => bytes ?? utf8Encode('?')));
  }

  it('gives back bytes, repeated ones and chunks of the store in their order', () => {
    const chunk = fc.record({ seed: fc.nat(5), length: fc.integer({ min: 1, max: 300 }), isStored: fc.boolean() });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 40 }), (chunks) => {
        const part = new PartBuilder();
        const stored = new Map<string, Uint8Array>();
        const contents = chunks.map(({ seed, length, isStored }) => {
          const bytes = seededRandom(seed).bytes(length);
          const digest = blake3(bytes);
          if (isStored) stored.set(toHex(digest), bytes);
          if (isStored) expect(part.addStored(digest, length)).toBe(true);
          else expect(part.addBytes(bytes, digest).taken).toBe(length);
          return bytes;
        });
        const plain = part.finish();
        expect(plain.length).toBe(padmeBytes(plain.length));
        expect(contentOf(plain, stored)).toEqual(concatBytes(contents));
        const key = random.bytes(32);
        expect(openMessagePart(key, { index: 4, bytes: sealMessagePart(key, 4, plain) }, fail)).toEqual(plain);
      }),
    );
  });

  it('writes a chunk once', () => {
    const part = new PartBuilder();
    expect(part.isEmpty).toBe(true);
    const chunk = random.bytes(1000);
    expect(part.addBytes(chunk, blake3(chunk))).toEqual({ taken: 1000, written: 1000 });
    expect(part.addBytes(chunk, blake3(chunk))).toEqual({ taken: 1000, written: 0 });
    expect(part.isEmpty).toBe(false);
    expect(part.finish().length).toBeLessThan(1100);
  });

  it('repeats a chunk where there is room to say so, and else gives what fits of its bytes', () => {
    for (const [room, found] of [
      [9, { taken: 10, written: 0 }],
      [8, { taken: 3, written: 3 }],
      [5, { taken: 0, written: 0 }],
    ] as const) {
      const [part, chunk] = [new PartBuilder(), random.bytes(10)];
      part.addBytes(chunk, blake3(chunk));
      // Each of the two pieces has a head of 5 bytes.
      const filler = new Uint8Array(INBOX_PART_BYTES - 15 - 5 - room);
      expect(part.addBytes(filler).taken).toBe(filler.length);
      expect(part.addBytes(chunk, blake3(chunk))).toEqual(found);
      const plain = part.finish();
      expect(plain).toHaveLength(INBOX_PART_BYTES);
      expect(contentOf(plain)).toHaveLength(10 + filler.length + found.taken);
    }
  });

  it('names a chunk of the store where there is room for it', () => {
    for (const [room, fits] of [
      [37, true],
      [36, false],
    ] as const) {
      const part = new PartBuilder();
      part.addBytes(new Uint8Array(INBOX_PART_BYTES - 5 - room));
      expect(part.addStored(random.bytes(32), 10)).toBe(fits);
    }
    expect(outcomeOf(() => new PartBuilder().addStored(random.bytes(31), 10))).toBe('internal/INVARIANT_BROKEN');
  });

  it('may repeat the bytes right before, and name the largest chunk', () => {
    const repeated = Uint8Array.of(1, 2, 0, 0, 0, 7, 8, 2, 5, 0, 0, 0, 2, 0, 0, 0);
    expect([...contentOf(repeated)]).toEqual([7, 8, 7, 8]);
    const [largest] = readPieces(Uint8Array.of(3, 0, 0, 0, 2, ...new Uint8Array(32)), fail);
    expect(largest).toMatchObject({ length: CHUNK_BYTES_MAX });
    expect(() => [...readPieces(Uint8Array.of(3, 1, 0, 0, 2, ...new Uint8Array(32)), fail)]).toThrow('chunk');
  });

  it('has an index that messages have', () => {
    for (const index of [-1, INBOX_PARTS_MAX, 0.5]) {
      expect(outcomeOf(() => sealMessagePart(random.bytes(32), index, random.bytes(1)))).toBe('RangeError');
      expect(outcomeOf(() => messagePartKey(MESSAGE, index))).toBe('RangeError');
    }
    expect(outcomeOf(() => messagePartKey(MESSAGE.slice(1), 0))).toBe('internal/INVARIANT_BROKEN');
    expect(outcomeOf(() => messageText(random.bytes(15)))).toBe('internal/INVARIANT_BROKEN');
  });

  it('takes no more than fits, and is full then', () => {
    const part = new PartBuilder();
    const large = new Uint8Array(INBOX_PART_BYTES);
    expect(part.addBytes(large, blake3(large)).taken).toBe(INBOX_PART_BYTES - 5);
    expect(part.addBytes(large, blake3(large)).taken).toBe(0);
    expect(part.addStored(blake3(large), 10)).toBe(false);
    const plain = part.finish();
    expect(plain).toHaveLength(INBOX_PART_BYTES);
    expect([...readPieces(plain, fail)].map(({ bytes }) => bytes?.length)).toEqual([INBOX_PART_BYTES - 5]);
  });

  it('opens under its own key and index, whole', () => {
    const key = random.bytes(32);
    const bytes = sealMessagePart(key, 1, random.bytes(100));
    for (const part of [
      { index: 0, bytes },
      { index: 1, bytes: bytes.subarray(1) },
      { index: 1, bytes: bytes.subarray(0, 15) },
      { index: 1, bytes: new Uint8Array(0) },
    ]) {
      expect(() => openMessagePart(key, part, fail)).toThrow('does not open under its key');
    }
    expect(() => openMessagePart(random.bytes(32), { index: 1, bytes }, fail)).toThrow('does not open');
  });

  it.each([
    { name: 'an unknown kind', bytes: [4] },
    { name: 'bytes that are not there', bytes: [1, 5, 0, 0, 0, 1, 2] },
    { name: 'bytes of the piece that repeats them', bytes: [2, 0, 0, 0, 0, 1, 0, 0, 0] },
    { name: 'a length that is cut', bytes: [1, 5, 0] },
    { name: 'a repetition of what follows', bytes: [2, 0, 0, 0, 0, 10, 0, 0, 0, 0] },
    { name: 'a repetition far away', bytes: [2, 255, 255, 255, 255, 255, 255, 255, 255] },
    { name: 'a chunk of no bytes', bytes: [3, 0, 0, 0, 0, ...new Uint8Array(32)] },
    { name: 'a chunk that is too large', bytes: [3, 0, 0, 0, 255, ...new Uint8Array(32)] },
  ])('with $name is damaged', ({ bytes }) => {
    expect(() => contentOf(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'MESSAGE_CORRUPT' }));
  });

  it('is read from any bytes, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        let pieces = 0;
        try {
          for (const _ of readPieces(bytes, fail)) pieces += 1;
        } catch (error) {
          expect(error).toMatchObject({ code: 'MESSAGE_CORRUPT' });
        }
        expect(pieces).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('names of messages', () => {
  it('are read as they are written, and no others', () => {
    expect(parseInboxKey(messageHeadKey(MESSAGE))).toEqual({ message: MESSAGE });
    for (const part of [0, 7, 4_294_967_294]) {
      expect(parseInboxKey(messagePartKey(MESSAGE, part))).toEqual({ message: MESSAGE, part });
    }
    for (const name of ['00', '-1', 'tail', '', '1/2', '4294967295', '4294967296', '9999999999', '99999999999']) {
      expect(parseInboxKey(`inbox/${MESSAGE}/${name}`)).toBeUndefined();
    }
    expect(parseInboxKey(`inbox/${MESSAGE.slice(1)}/0`)).toBeUndefined();
    expect(parseInboxKey(`other/${MESSAGE}/0`)).toBeUndefined();
  });
});
