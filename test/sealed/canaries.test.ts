/** Secrets and plaintexts that can be recognised, and everything a sealed store says while it is used and misused. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8Encode } from '../../src/bytes/bytes.ts';
import { decodeStoreConfig, STORE_CONFIG_KEY } from '../../src/format/index.ts';
import {
  createStore,
  diagnoseStore,
  exportSeed,
  generateIdentity,
  type KeySecret,
  openStore,
  rebuildStore,
  type Store,
  splitIdentity,
} from '../../src/index.ts';
import { unlock } from '../../src/keys/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { SEALED_OPTIONS } from '../support/sealed-store.ts';
import { packFiles } from '../support/store-files.ts';

const PASSPHRASE = 'CanaryPassphraseThatMustNeverSing';
const WRONG_PASSPHRASE = 'WrongCanaryThatMustNeverSingEither';
const CONTENT = 'CanaryContentThatMustNeverSing '.repeat(30);
const ATTRIBUTE = 'CanaryAttributeThatMustNeverSing';
const KEY = Uint8Array.from({ length: 32 }, (_, index) => 0xa1 ^ (index * 7));
const WRONG_KEY = KEY.map((byte) => byte ^ 0xff);
const IDENTITY = generateIdentity('ml-kem-1024');

let temporary: TemporaryFolder;
let folder: string;
/** Everything that was said, thrown, told or shown, with who said it. */
const said: { readonly who: string; readonly text: string }[] = [];
const canaries = new Map<string, string>();

/** All that a logger could make of a value. */
function shown(value: unknown): string {
  const texts = [
    inspect(value, { depth: 10, showHidden: true, getters: true, maxStringLength: null, maxArrayLength: null }),
  ];
  texts.push(JSON.stringify(value) ?? '', String(value));
  if (value instanceof Error) {
    const details = (value as { details?: unknown }).details;
    texts.push(value.message, value.stack ?? '', JSON.stringify({ ...value }), JSON.stringify(details) ?? '');
    if (value.cause !== undefined) texts.push(shown(value.cause));
  }
  // A long array is broken into lines.
  return texts.join('\n').replaceAll(/\s+/g, ' ');
}

function note(who: string, value: unknown): void {
  said.push({ who, text: shown(value) });
}

const logger = {
  debug: (...all: unknown[]) => note('log', all),
  info: (...all: unknown[]) => note('log', all),
  warn: (...all: unknown[]) => note('log', all),
  error: (...all: unknown[]) => note('log', all),
};

/** Spellings of bytes: of the whole and of its beginning. */
function addBytes(what: string, bytes: Uint8Array): void {
  const part = Buffer.from(bytes.subarray(0, 12));
  canaries.set(`${what} in hex`, part.toString('hex'));
  canaries.set(`${what} in base64`, part.toString('base64'));
  canaries.set(`${what} as numbers`, [...part].join(','));
  canaries.set(`${what} as spaced numbers`, [...part].join(', '));
  canaries.set(`${what} as a dump`, [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' '));
}

async function tried(who: string, work: () => Promise<unknown>): Promise<void> {
  try {
    note(who, await work());
  } catch (error) {
    note(`${who}, failing`, error);
  }
}

async function open(keys: KeySecret, options: object = {}): Promise<Store> {
  const store = await openStore(folder, { keys, logger, reserveBytes: 0, ...options });
  for (const event of ['damage', 'merge', 'recovery'] as const) store.on(event, (about) => note(event, about));
  return store;
}

beforeAll(async () => {
  temporary = await makeTemporaryFolder();
  folder = path.join(temporary.path, 'store');
  for (const text of [PASSPHRASE, WRONG_PASSPHRASE, ATTRIBUTE]) canaries.set(text, text);
  canaries.set('content', CONTENT.slice(0, 24));
  for (const text of [PASSPHRASE, WRONG_PASSPHRASE, CONTENT]) addBytes(text.slice(0, 20), utf8Encode(text));
  addBytes('key', KEY);
  addBytes('wrong key', WRONG_KEY);
  addBytes('seed of the identity', Buffer.from(exportSeed(IDENTITY, 'hex'), 'hex'));
  for (const share of await splitIdentity(IDENTITY, { shares: 2, threshold: 2 }))
    canaries.set('share', share.slice(-24));
});

afterAll(() => temporary.remove());

/** The secrets of the ring as they are now. */
async function addRing(): Promise<void> {
  const config = decodeStoreConfig(await readFile(path.join(folder, STORE_CONFIG_KEY)));
  if (config.keys === 'none') throw new Error('the store is sealed');
  const keyring = await unlock(config, { key: KEY });
  note('keyring', keyring);
  const { store, epochs, namespaces } = keyring.secrets;
  note('secrets', keyring.secrets);
  addBytes('store secret', store);
  for (const { number, secret } of epochs) addBytes(`epoch ${number}`, secret);
  for (const { number, secret } of namespaces) addBytes(`namespace ${number}`, secret);
}

describe('a sealed store', () => {
  it('says nothing that is secret, in use, when misused and when damaged', async () => {
    const store = await createStore(folder, { ...SEALED_OPTIONS, keys: { key: KEY }, logger });
    for (const event of ['damage', 'merge', 'recovery'] as const) store.on(event, (about) => note(event, about));
    await tried('add a passphrase', () => store.keys.add({ passphrase: PASSPHRASE }));
    await tried('add a recipient', () => store.keys.add({ recipient: IDENTITY }));
    await tried('create', () => store.namespaces.create('tenant'));
    await tried('put', () => store.put('one', CONTENT));
    await tried('put for a tenant', () => store.namespace('tenant').put('two', CONTENT));
    await tried('put alone', () => store.put('three', CONTENT, { isolation: 'entry' }));
    await tried('put with attributes', () => store.put('four', 'x', { attributes: { secret: ATTRIBUTE } }));
    await tried('rotate', () => store.keys.rotate());
    await tried('stats', () => store.stats());
    await tried('slots', () => store.keys.list());
    await tried('namespaces', () => store.namespaces.list());
    await tried('check', () => store.maintenance.check());
    await tried('put in vain', () => store.put('one', CONTENT, { ifAbsent: true }));
    await tried('add in vain', () => store.keys.add({ passphrase: '' }));
    await tried('add what is none', () => store.keys.add({ key: KEY.subarray(1) }));
    await tried('remove in vain', () => store.keys.remove('00000000'));
    for (const one of [store, store.keys, store.namespaces, store.maintenance, store.namespace('tenant')])
      note('object', one);
    await store.close();
    await tried('get when closed', () => store.get('one'));
    await addRing();

    const wrong: readonly KeySecret[] = [
      { passphrase: WRONG_PASSPHRASE },
      { key: WRONG_KEY },
      { key: KEY.subarray(1) },
      PASSPHRASE as unknown as KeySecret,
      KEY as unknown as KeySecret,
      { passphrase: KEY as unknown as string },
      { pass: PASSPHRASE } as unknown as KeySecret,
      { keyFile: await exposed('key file', Buffer.from(KEY).toString('hex')) },
      { identity: await exposed('identity', PASSPHRASE) },
    ];
    for (const keys of wrong) await tried('open with a wrong key', () => open(keys));
    await tried('open', async () => {
      const reopened = await open({ identity: IDENTITY });
      await reopened.close();
      return reopened;
    });
    await tried('open with the passphrase', async () => {
      const reopened = await open({ passphrase: PASSPHRASE }, { readOnly: true });
      await reopened.close();
      return reopened;
    });
    for (const file of await packFiles(folder)) {
      const bytes = await readFile(file);
      bytes[Math.floor(bytes.length / 3)] = (bytes[Math.floor(bytes.length / 3)] ?? 0) ^ 1;
      await writeFile(file, bytes);
    }
    const damaged = await open({ key: KEY });
    for (const key of ['one', 'three', 'four'])
      await tried('get what is damaged', async () => (await damaged.get(key)).length);
    await tried('get what is damaged', async () => (await damaged.namespace('tenant').get('two')).length);
    await tried('check what is damaged', () => damaged.maintenance.check());
    await damaged.close();
    await tried('diagnose', () => diagnoseStore(folder, { keys: { key: KEY } }));
    await tried('rebuild', () => rebuildStore(folder, { keys: { key: KEY }, logger, reserveBytes: 0 }));

    expect(said.length).toBeGreaterThan(40);
    expect(said.some(({ who }) => who.endsWith('failing'))).toBe(true);
    expect(canaries.size).toBeGreaterThan(40);
    const sung = said.flatMap(({ who, text }) =>
      [...canaries].filter(([, canary]) => text.includes(canary)).map(([what]) => `${who} shows ${what}`),
    );
    expect(sung).toEqual([]);
  });

  it('would be heard by this test if it sang', () => {
    const error = new Error('outer', { cause: new Error(`the key ${Buffer.from(KEY).toString('hex')}`) });
    const text = shown({ inner: { error } });
    expect(text).toContain(canaries.get('key in hex'));
    expect(shown({ key: KEY })).toContain(canaries.get('key as spaced numbers'));
    expect(shown(Buffer.from(KEY))).toContain(canaries.get('key as a dump'));
  });
});

/** A file with a secret in it that everybody reads. */
async function exposed(name: string, content: string): Promise<string> {
  const file = path.join(temporary.path, name);
  await writeFile(file, content, { mode: 0o644 });
  return file;
}
