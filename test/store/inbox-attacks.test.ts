import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8Encode } from '../../src/bytes/bytes.ts';
import { encapsulate } from '../../src/crypto/kem.ts';
import { createSigner, type Signer } from '../../src/crypto/signature.ts';
import { checkOf } from '../../src/format/check.ts';
import {
  encodeMessageHead,
  type MessageEntry,
  type MessagePlace,
  messageHeadKey,
  messageKeys,
  messagePartKey,
  messageText,
  PartBuilder,
  sealMessagePart,
} from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import { parseWriterCredential, type WriterCredential } from '../../src/index.ts';
import { INBOX_HEAD_BYTES_MAX, INBOX_PART_BYTES } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { type InboxFixture, inboxBlobs, inboxFixture, messagesOf, onlyMessage } from '../support/inbox.ts';
import { keysOf, SOUND } from '../support/stores.ts';

const CHECK_BYTES = 16;
const random = seededRandom(7);

/** What somebody writes who has a credential and knows every layout. */
async function craft(
  fixture: InboxFixture,
  lies: {
    readonly place?: Partial<MessagePlace>;
    readonly entry?: Partial<MessageEntry>;
    readonly signer?: Signer;
    readonly credential?: WriterCredential;
    /** Pieces of each part; default: the content in one. */
    readonly parts?: readonly ((part: PartBuilder) => void)[];
    readonly order?: readonly number[];
  } = {},
): Promise<string> {
  const credential = lies.credential ?? parseWriterCredential(fixture.credential);
  const { storeId, namespace, epoch, publicKey, signingSeed } = credential;
  const store = fromHex(storeId) ?? new Uint8Array(0);
  const place = { store, message: random.bytes(16), namespace, epoch, ...lies.place };
  const { ciphertext, sharedKey } = encapsulate(publicKey);
  const keys = messageKeys(place, sharedKey);
  const content = utf8Encode('crafted');
  const parts = lies.parts ?? [(part) => void part.addBytes(content)];
  const message = messageText(place.message);
  for (const [index, build] of parts.entries()) {
    const part = new PartBuilder();
    build(part);
    const name = messagePartKey(message, lies.order?.[index] ?? index);
    await fixture.blobs.put(name, sealMessagePart(keys.part, index, part.finish()));
  }
  const entry = {
    ...{ key: utf8Encode(`crafted ${message}`), attributes: {}, parts: parts.length },
    ...{ digest: blake3(content), size: content.length, ...lies.entry },
  };
  const signer = lies.signer ?? createSigner('ed25519', signingSeed);
  await fixture.blobs.put(messageHeadKey(message), encodeMessageHead(place, entry, { keys, ciphertext, signer }));
  return message;
}

/** Whoever changes a head can make its check fit: it takes no key. */
function recheck(head: Uint8Array): void {
  const end = head.length - CHECK_BYTES;
  head.set(checkOf(head.subarray(0, end)), end);
}

async function digestsOf(fixture: InboxFixture): Promise<readonly string[]> {
  return [...(await inboxBlobs(fixture))].map(([key, bytes]) => `${key} ${toHex(blake3(bytes))}`);
}

/** All that is in the inbox is refused for this reason, with nothing changed; then it is thrown away. */
async function expectRefused(fixture: InboxFixture, ...codes: readonly string[]): Promise<void> {
  const { store } = fixture;
  const before = { ...(await store.stats()), keys: await keysOf(store), blobs: await digestsOf(fixture) };
  const report = await store.inbox.adopt();
  expect(report.refused.map(({ code }) => code)).toEqual(codes);
  expect(report).toMatchObject({ adopted: 0, entries: 0, bytes: 0 });
  const { commit, entries } = await store.stats();
  expect({ commit, entries }).toEqual({ commit: before.commit, entries: before.entries });
  expect(await keysOf(store)).toEqual(before.keys);
  expect(await digestsOf(fixture)).toEqual(before.blobs);
  for (const message of await messagesOf(fixture)) await store.inbox.discard(message);
}

describe('a message', () => {
  it('is adopted when it is crafted with care', async () => {
    const fixture = await inboxFixture();
    await craft(fixture);
    expect(await fixture.store.inbox.adopt()).toMatchObject({ adopted: 1, refused: [] });
  });

  it('must be signed by the writer that it names, and who is let in', async () => {
    const fixture = await inboxFixture();
    const { store } = fixture;
    const { publicKey } = createSigner('ed25519', parseWriterCredential(fixture.credential).signingSeed);
    const stranger = createSigner('ed25519', random.bytes(32));
    await craft(fixture, { signer: { ...stranger, publicKey } });
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
    await craft(fixture, { signer: stranger });
    await expectRefused(fixture, 'WRITER_UNKNOWN');
    await fixture.writer.put('a', 'from a writer that was let in');
    const [writer] = await store.keys.writers();
    await store.keys.removeWriter(writer?.fingerprint ?? '');
    await expectRefused(fixture, 'WRITER_UNKNOWN');
  });

  it('goes into the namespace of its writer and no other', async () => {
    const fixture = await inboxFixture({ namespace: 'tenant' });
    await craft(fixture, { place: { namespace: 0 } });
    await expectRefused(fixture, 'WRITER_UNKNOWN');
    // A second credential of the default namespace, with the key of the first.
    const other = parseWriterCredential(await fixture.store.keys.exportWriter({ label: 'web-2' }));
    const { publicKey } = parseWriterCredential(fixture.credential);
    await craft(fixture, { credential: { ...other, publicKey } });
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
    await craft(fixture, { place: { epoch: 9 } });
    await expectRefused(fixture, 'EPOCH_UNKNOWN');
  });

  it('belongs to one store', async () => {
    const [fixture, other] = [await inboxFixture(), await inboxFixture()];
    await other.writer.put('a', 'elsewhere');
    for (const [key, bytes] of await inboxBlobs(other)) await fixture.blobs.put(key, bytes);
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
  });

  it('has its own head and parts', async () => {
    const fixture = await inboxFixture();
    const { blobs, writer } = fixture;
    for (const key of ['a', 'b']) await writer.put(key, random.bytes(2000));
    const [one = '', other = ''] = await messagesOf(fixture);
    const all = await inboxBlobs(fixture);
    const bytesOf = (key: string): Uint8Array => all.get(key) ?? new Uint8Array(0);
    await blobs.put(messagePartKey(one, 0), bytesOf(messagePartKey(other, 0)));
    await blobs.put(messagePartKey(other, 0), bytesOf(messagePartKey(one, 0)));
    await expectRefused(fixture, 'MESSAGE_CORRUPT', 'MESSAGE_CORRUPT');
    for (const [key, bytes] of all) await blobs.put(key, bytes);
    await blobs.put(messageHeadKey(one), bytesOf(messageHeadKey(other)));
    await blobs.put(messageHeadKey(other), bytesOf(messageHeadKey(one)));
    await expectRefused(fixture, 'MESSAGE_CORRUPT', 'MESSAGE_CORRUPT');
    const half = (part: PartBuilder): void => void part.addBytes(new Uint8Array(10));
    const entry = { size: 20, digest: blake3(new Uint8Array(20)) };
    await craft(fixture, { parts: [half, half], entry, order: [1, 0] });
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
    await craft(fixture, { parts: [half, half], entry });
    expect(await fixture.store.inbox.adopt()).toMatchObject({ adopted: 1 });
  });

  it('is whole', async () => {
    const fixture = await inboxFixture();
    const { blobs, writer } = fixture;
    await writer.put('a', random.bytes(5000));
    const message = await onlyMessage(fixture);
    const part = messagePartKey(message, 0);
    const bytes = (await blobs.get(part)) ?? new Uint8Array(0);
    for (const length of [0, 1, 15, 16, 17, bytes.length - 1]) {
      await blobs.put(part, bytes.subarray(0, length));
      expect(await fixture.store.inbox.adopt()).toMatchObject({ refused: [{ code: 'MESSAGE_CORRUPT' }] });
    }
    await blobs.put(part, new Uint8Array(INBOX_PART_BYTES + 17));
    expect(await fixture.store.inbox.adopt()).toMatchObject({ refused: [{ code: 'MESSAGE_CORRUPT' }] });
    await blobs.delete(part);
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
    await blobs.put(messageHeadKey(message), new Uint8Array(INBOX_HEAD_BYTES_MAX + 1));
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
  });

  it('holds what it says, no more and nothing else', async () => {
    const fixture = await inboxFixture();
    for (const entry of [
      { size: 6 },
      { size: 8 },
      { digest: blake3(utf8Encode('other')) },
      { parts: 0 },
      { parts: 2 },
    ]) {
      await craft(fixture, { entry });
      await expectRefused(fixture, 'MESSAGE_CORRUPT');
    }
    await craft(fixture, { entry: { key: Uint8Array.of(0xff, 0, 0, 0, 7, 65) } });
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
    // A part of a few bytes that stands for a thousand times as much.
    const bomb = (part: PartBuilder): void => {
      const block = random.bytes(1_000_000);
      const digest = blake3(block);
      for (let times = 0; times < 1000; times += 1) part.addBytes(block, digest);
    };
    await craft(fixture, { parts: [bomb] });
    await expectRefused(fixture, 'MESSAGE_CORRUPT');
  });

  it('gets at no chunk but those of its namespace', async () => {
    const fixture = await inboxFixture({ namespace: 'tenant' });
    const { store } = fixture;
    const secret = utf8Encode('of the default namespace');
    await store.put('secret', secret);
    const named = (part: PartBuilder): void => void part.addStored(blake3(secret), secret.length);
    const entry = { size: secret.length, digest: blake3(secret) };
    await craft(fixture, { parts: [named], entry });
    await expectRefused(fixture, 'CHUNK_MISSING');
    await store.namespace('tenant').put('own', secret);
    const wrong = (part: PartBuilder): void => void part.addStored(blake3(secret), secret.length - 1);
    await craft(fixture, { parts: [wrong], entry });
    await expectRefused(fixture, 'CHUNK_CORRUPT');
    await craft(fixture, { parts: [named], entry });
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1 });
    expect(await store.maintenance.check()).toMatchObject(SOUND);
  });

  it('makes nothing twice, and replaces nothing, when it is put back', async () => {
    const fixture = await inboxFixture();
    const { store, writer } = fixture;
    await writer.put('a', 'once');
    const replayed = await inboxBlobs(fixture);
    const putBack = async (): Promise<void> => {
      for (const [key, bytes] of replayed) await fixture.blobs.put(key, bytes);
    };
    await store.inbox.adopt();
    const { version } = await store.stat('a');
    const { commit } = await store.stats();
    await putBack();
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1, entries: 0, bytes: 0 });
    expect(await store.stats()).toMatchObject({ commit, entries: 1 });
    await store.put('a', 'newer');
    await putBack();
    await expectRefused(fixture, 'ENTRY_EXISTS');
    expect((await store.stat('a')).version).not.toBe(version);
  });

  it('is refused with any byte flipped, whoever makes its check fit', { timeout: 60_000 }, async () => {
    const fixture = await inboxFixture();
    const { blobs, store, writer } = fixture;
    await writer.put('a', 'some content');
    const message = await onlyMessage(fixture);
    const { commit } = await store.stats();
    const outcomes = new Set<string | undefined>();
    for (const [key, bytes] of await inboxBlobs(fixture)) {
      for (let at = 0; at < bytes.length; at += key.endsWith('head') && at >= 64 ? 3 : 1) {
        const flipped = Uint8Array.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        if (key === messageHeadKey(message) && at % 2 === 0 && at < bytes.length - CHECK_BYTES) recheck(flipped);
        await blobs.put(key, flipped);
        const { adopted, refused } = await store.inbox.adopt();
        expect({ adopted, refused: refused.length }, `${key} byte ${at}`).toEqual({ adopted: 0, refused: 1 });
        outcomes.add(refused[0]?.code);
      }
      await blobs.put(key, bytes);
    }
    // A flipped version with a check that fits is a newer one; a flipped writer nobody knows.
    expect([...outcomes].sort()).toEqual(['FORMAT_UNSUPPORTED', 'MESSAGE_CORRUPT', 'WRITER_UNKNOWN']);
    expect((await store.stats()).commit).toBe(commit);
    expect(await store.inbox.adopt()).toMatchObject({ adopted: 1, entries: 1 });
  });
});
