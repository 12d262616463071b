/** A grep over everything a sealed store writes, at rest, while it works and after a crash. */
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8Encode } from '../../src/bytes/bytes.ts';
import { createStore, type Entries, openStore, type Store } from '../../src/index.ts';
import { noise, pieces } from '../support/contents.ts';
import { crashCopy, filesOf, SEALED_OPTIONS } from '../support/sealed-store.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';
import { WindowScan } from '../support/window-scan.ts';

const NAMESPACES = ['the-first-namespace-of-all', 'another-namespace-with-a-name'];
const KIB = 1024;
/** Puts that share packs and commits. */
const AT_ONCE = 10;

interface Secret {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly namespace: string | undefined;
  readonly isolation: 'entry' | undefined;
  readonly contentType: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Text that compresses well and has no window twice in the world. */
function prose(length: number, seed: number): Uint8Array {
  let text = '';
  for (let line = 0; text.length < length; line += 1) text += `line ${line} of the secret report number ${seed}; `;
  return utf8Encode(text.slice(0, length));
}

/** A hundred entries of all sizes and kinds; every fourth isolated, two thirds in namespaces. */
function secrets(): readonly Secret[] {
  const lengths = [40, 100, 700, 3000, 9 * KIB, 70 * KIB];
  return Array.from({ length: 100 }, (_, index): Secret => {
    const length = lengths[index % lengths.length] ?? 0;
    const folder = `private folder ${index % 7} of somebody`;
    return {
      key: `${folder}/document-${index}-${index * index}.txt`,
      bytes: index % 2 === 0 ? prose(length, index) : noise(length, index),
      namespace: [undefined, ...NAMESPACES][index % 3],
      isolation: index % 4 === 3 ? 'entry' : undefined,
      contentType: `application/x-very-special-type-${index}`,
      attributes: { [`name of attribute ${index}`]: `value of the attribute ${index}` },
    };
  });
}

const SECRETS = secrets();
const scan = new WindowScan();

beforeAll(() => {
  for (const { key, bytes, contentType, attributes } of SECRETS) {
    scan.add(`content of ${key}`, bytes);
    scan.add(`key ${key}`, utf8Encode(key));
    scan.add(`content type of ${key}`, utf8Encode(contentType));
    for (const [name, value] of Object.entries(attributes)) {
      scan.add(`attribute name of ${key}`, utf8Encode(name));
      scan.add(`attribute of ${key}`, utf8Encode(value));
    }
  }
  for (const name of NAMESPACES) scan.add(`namespace ${name}`, utf8Encode(name));
});

function entriesIn(store: Store, namespace: string | undefined): Entries {
  return namespace === undefined ? store : store.namespace(namespace);
}

/** Digests by which users know content: whole, of chunks, versions and roots; raw and in both spellings of hex. */
async function addDigests(store: Store): Promise<void> {
  const add = (what: string, text: string): void => {
    const hex = text.slice(text.indexOf(':') + 1);
    scan.add(`${what} in hex`, utf8Encode(hex));
    scan.add(`${what} in capitals`, utf8Encode(hex.toUpperCase()));
    scan.add(what, Buffer.from(hex, 'hex'));
  };
  for (const { key, namespace, isolation } of SECRETS) {
    const entries = entriesIn(store, namespace);
    const { digest, root, version } = await entries.stat(key);
    add(`digest of ${key}`, digest);
    add(`root of ${key}`, root);
    // That of an isolated entry is keyed already, and so no secret.
    if (isolation === undefined) add(`version of ${key}`, version);
    for await (const chunk of entries.chunks(key)) add(`digest of a chunk of ${key}`, chunk.digest);
  }
}

async function shown(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name, bytes] of await filesOf(folder)) {
    for (const what of scan.find(bytes)) found.push(`${name} shows ${what}`);
    for (const what of scan.find(utf8Encode(name))) found.push(`the name of ${name} shows ${what}`);
  }
  return found;
}

/** Looks at the folder in the midst of a put. */
async function* watched(bytes: Uint8Array, look: () => Promise<void>): AsyncGenerator<Uint8Array> {
  let given = 0;
  for await (const piece of pieces(bytes, Math.ceil(bytes.length / 3))) {
    yield piece;
    given += piece.length;
    if (given < bytes.length) await look();
  }
}

describe('the scan', () => {
  it('finds a window of every secret wherever it lies', () => {
    for (const { bytes, key } of SECRETS) {
      const at = bytes.length - 16;
      const hidden = new Uint8Array([...noise(33, 9), ...bytes.subarray(at), ...noise(7, 10)]);
      expect(scan.find(hidden).size, key).toBeGreaterThan(0);
      expect(scan.find(bytes.subarray(at + 1)).size).toBe(0);
    }
  });

  it('finds everything in a plain store, so it looks in the right places', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, { keys: 'none', reserveBytes: 0 }));
    const [small] = SECRETS;
    if (small) await store.put(small.key, small.bytes, { contentType: small.contentType });
    expect((await shown(folder)).length).toBeGreaterThan(3);
  });
});

describe('the folder of a sealed store', () => {
  it('shows no window of contents, keys, attributes, content types, digests or names of namespaces', async () => {
    const folder = await testFolder();
    const store = closedAfterTest(await createStore(folder, SEALED_OPTIONS));
    for (const name of NAMESPACES) await store.namespaces.create(name);
    let looks = 0;
    const look = async (): Promise<void> => {
      looks += 1;
      expect(await shown(folder)).toEqual([]);
    };
    const put = (secret: Secret, index: number): Promise<unknown> => {
      const { key, bytes, namespace, isolation, contentType, attributes } = secret;
      const source = index % 33 === 5 ? watched(bytes, look) : bytes;
      const options = { contentType, attributes, ...(isolation && { isolation }) };
      return entriesIn(store, namespace).put(key, source, options);
    };
    for (let start = 0; start < SECRETS.length; start += AT_ONCE) {
      await Promise.all(SECRETS.slice(start, start + AT_ONCE).map((secret, index) => put(secret, start + index)));
      if (start === 5 * AT_ONCE) await store.keys.rotate();
    }
    expect(looks).toBeGreaterThan(3);
    await addDigests(store);
    expect(scan.windows).toBeGreaterThan(500_000);
    expect(await shown(folder), 'while it is open').toEqual([]);

    const [first, second] = SECRETS;
    if (first && second) {
      await entriesIn(store, first.namespace).delete(first.key);
      await entriesIn(store, second.namespace).rename(second.key, `${second.key} renamed`);
    }
    const crashed = await testFolder();
    await crashCopy(folder, crashed);
    expect(await shown(crashed), 'after a crash').toEqual([]);
    await store.close();
    expect(await shown(folder), 'at rest').toEqual([]);

    const reopened = closedAfterTest(await openStore(crashed, { keys: SEALED_OPTIONS.keys, reserveBytes: 0 }));
    await reopened.keys.rotate();
    await reopened.keys.rekey();
    expect(await reopened.maintenance.check()).toMatchObject({ outcome: 'ok' });
    expect(await shown(crashed), 'sealed anew after the crash').toEqual([]);
  });
});
