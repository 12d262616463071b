/** A sealed store over a backend that a test keeps, with a put-only writer beside it. */
import path from 'node:path';
import type { Backend } from '../../src/backend/contract.ts';
import { MemoryBackend } from '../../src/backend/memory-backend.ts';
import { createStore, openPutOnly, openStore, type PutOnlyStore, type Store } from '../../src/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { closedAfterTest, testFolder } from './stores.ts';

/** What opens the stores of these tests. */
export const KEYS = { key: seededRandom(1).bytes(32) };

/** The blobs stay when a store closes its backend. */
export function lasting(backend: Backend): Backend {
  return new Proxy(backend, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name === 'close') return async () => undefined;
      return (...args: readonly unknown[]): unknown => Reflect.apply(member, target, args);
    },
  });
}

export interface InboxPlace {
  /** Of every blob, as it lies there. */
  readonly blobs: Backend;
  readonly location: { readonly backend: Backend; readonly metadata: string };
}

export interface InboxFixture extends InboxPlace {
  readonly store: Store;
  readonly credential: string;
  readonly writer: PutOnlyStore;
}

/** @param wrap what the store and its writer see of the blobs; default: the blobs */
export async function newPlace(wrap: (blobs: Backend) => Backend = (blobs) => blobs): Promise<InboxPlace> {
  const blobs = lasting(new MemoryBackend());
  return { blobs, location: { backend: wrap(blobs), metadata: path.join(await testFolder(), 'store.sqlite') } };
}

/** A new store, open, and a writer of its default namespace. */
export async function inboxFixture(
  options: { readonly wrap?: (blobs: Backend) => Backend; readonly namespace?: string } = {},
): Promise<InboxFixture> {
  const place = await newPlace(options.wrap);
  const store = closedAfterTest(await createStore(place.location, { keys: KEYS }));
  const { namespace } = options;
  if (namespace !== undefined) await store.namespaces.create(namespace);
  const credential = await store.keys.exportWriter({ label: 'web-1', ...(namespace !== undefined && { namespace }) });
  return { ...place, store, credential, writer: await openWriter(place, credential) };
}

export async function openWriter({ location }: InboxPlace, credential: string): Promise<PutOnlyStore> {
  return closedAfterTest(await openPutOnly(location, { credential }));
}

export async function openAgain({ location }: InboxPlace): Promise<Store> {
  return closedAfterTest(await openStore(location, { keys: KEYS }));
}

/** Backend keys in the inbox. */
export async function inboxKeys({ blobs }: InboxPlace): Promise<string[]> {
  return (await blobs.list({ prefix: 'inbox/' })).map(({ key }) => key);
}

/** Every blob in the inbox by its backend key. */
export async function inboxBlobs(place: InboxPlace): Promise<Map<string, Uint8Array>> {
  const blobs = new Map<string, Uint8Array>();
  for (const key of await inboxKeys(place)) blobs.set(key, (await place.blobs.get(key)) ?? new Uint8Array(0));
  return blobs;
}

/** Ids of the messages in the inbox. */
export async function messagesOf(place: InboxPlace): Promise<string[]> {
  return [...new Set((await inboxKeys(place)).map((key) => key.split('/')[1] ?? ''))];
}

/** The one message in the inbox. */
export async function onlyMessage(place: InboxPlace): Promise<string> {
  const [message, ...more] = await messagesOf(place);
  if (message === undefined || more.length > 0) throw new Error(`the inbox has ${more.length + 1} messages, or none`);
  return message;
}

/** Bytes compare in one step here; comparing large arrays member by member takes seconds. */
export function isSame(actual: Uint8Array, expected: Uint8Array): boolean {
  return Buffer.compare(actual, expected) === 0;
}
