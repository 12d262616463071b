/** Everything wrong that can be given to a sealed store, or be in its config: one clear error, and not a byte changes. */
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex, utf8Decode } from '../../src/bytes/bytes.ts';
import { STORE_CONFIG_KEY } from '../../src/format/index.ts';
import {
  createStore,
  generateIdentity,
  generateKeyFile,
  type KeySecret,
  openStore,
  StoreError,
} from '../../src/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { forgedConfig } from '../support/sealed.ts';
import { filesOf, SEALED_OPTIONS, STORE_KEY } from '../support/sealed-store.ts';

let temporary: TemporaryFolder;
let folder: string;
const config = (): string => path.join(folder, STORE_CONFIG_KEY);

beforeAll(async () => {
  temporary = await makeTemporaryFolder();
  folder = path.join(temporary.path, 'store');
  const store = await createStore(folder, SEALED_OPTIONS);
  await store.keys.add({ passphrase: 'the right passphrase' });
  await store.keys.add({ recipient: generateIdentity('ml-kem-1024') });
  await store.put('kept', 'kept');
  await store.close();
});

afterAll(() => temporary.remove());

/** What a file holds, and when it was written. */
async function state(): Promise<Readonly<Record<string, string>>> {
  const image: Record<string, string> = {};
  for (const [name, bytes] of await filesOf(folder)) {
    const { mtimeMs } = await stat(path.join(folder, name));
    image[name] = `${mtimeMs} ${bytes.length} ${toHex(bytes.subarray(0, 4096))}`;
  }
  return image;
}

/** Opens read-only and read-write. @returns the error, the same both times, with nothing changed */
async function refusal(keys: KeySecret | undefined): Promise<{ readonly code: string; readonly message: string }> {
  const before = await state();
  const told: { code: string; message: string }[] = [];
  for (const readOnly of [true, false]) {
    try {
      const store = await openStore(folder, { ...(keys && { keys }), readOnly, reserveBytes: 0 });
      await store.close();
      throw new Error('the store was opened');
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      told.push({ code: `${error.kind}/${error.code}`, message: error.message });
    }
    expect(await state()).toEqual(before);
  }
  const [first, second] = told;
  expect(second).toEqual(first);
  return first ?? { code: '', message: '' };
}

async function file(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
  const at = path.join(temporary.path, name);
  await writeFile(at, content);
  await chmod(at, mode);
  return at;
}

describe('a key that is wrong', () => {
  it('is told with one code and one text, whatever kind of key it is', async () => {
    const keyFile = path.join(temporary.path, 'wrong key');
    await generateKeyFile(keyFile);
    const wrong: readonly KeySecret[] = [
      { passphrase: 'the wrong passphrase' },
      { key: new Uint8Array(32) },
      { keyFile },
      { identity: generateIdentity('ml-kem-1024') },
    ];
    const told = new Set<string>();
    for (const keys of wrong) {
      const { code, message } = await refusal(keys);
      told.add(`${code} ${message}`);
    }
    expect([...told]).toEqual([expect.stringMatching(/^denied\/WRONG_KEY /)]);
  });

  it.each<[string, string, () => Promise<KeySecret | undefined>]>([
    ['is missing', 'denied/KEY_REQUIRED', async () => undefined],
    [
      'is a file cut short',
      'invalid/CREDENTIAL_INVALID',
      async () => ({ keyFile: await file('short', toHex(STORE_KEY).slice(1)) }),
    ],
    ['is an empty file', 'invalid/CREDENTIAL_INVALID', async () => ({ keyFile: await file('empty', '') })],
    [
      'is a file that everybody reads',
      'denied/KEY_FILE_EXPOSED',
      async () => ({ keyFile: await file('open', STORE_KEY, 0o644) }),
    ],
    [
      'is a file that the group reads',
      'denied/KEY_FILE_EXPOSED',
      async () => ({ keyFile: await file('group', STORE_KEY, 0o640) }),
    ],
    ['is too short', 'invalid/CREDENTIAL_INVALID', async () => ({ key: STORE_KEY.subarray(1) })],
    ['is a file that is no identity', 'invalid/CREDENTIAL_INVALID', async () => ({ identity: await file('no', '{}') })],
    [
      'is an identity that signs',
      'invalid/CREDENTIAL_INVALID',
      async () => ({ identity: generateIdentity('ed25519') }),
    ],
  ])('and %s is told as that', async (_, code, keys) => {
    expect((await refusal(await keys())).code).toBe(code);
  });
});

/** Every member of a value, by names and indexes. */
function* members(value: unknown, way: readonly string[] = []): Generator<readonly string[]> {
  if (typeof value !== 'object' || value === null) yield way;
  else for (const [name, member] of Object.entries(value)) yield* members(member, [...way, name]);
}

/** Something else of the same kind. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  const text = String(value);
  const at = Math.floor(text.length / 2);
  const changed = text[at] === 'A' || text[at] === 'a' ? 'b' : 'a';
  return text.slice(0, at) + changed + text.slice(at + 1);
}

/** Writes a config with some members changed, and a check that fits, for as long as `work` takes. */
async function withConfig<T>(
  changes: readonly (readonly [readonly string[], unknown])[],
  work: () => Promise<T>,
): Promise<T> {
  const written = await readFile(config());
  const { check: _check, ...rest } = JSON.parse(utf8Decode(written)) as Record<string, unknown>;
  for (const [way, value] of changes) {
    const holder = way.slice(0, -1).reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], rest);
    (holder as Record<string, unknown>)[way.at(-1) ?? ''] = value;
  }
  await writeFile(
    config(),
    forgedConfig(written, () => JSON.stringify(rest, null, 2).slice(0, -2)),
  );
  try {
    return await work();
  } finally {
    await writeFile(config(), written);
  }
}

describe('a config', () => {
  it('with any member changed is refused, and nothing is written', async () => {
    const parsed = JSON.parse(utf8Decode(await readFile(config()))) as Record<string, unknown>;
    const codes = new Set<string>();
    let count = 0;
    for (const way of members(parsed)) {
      if (way[0] === 'check') continue;
      const value = way.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], parsed);
      const { code } = await withConfig([[way, other(value)]], () => refusal(SEALED_OPTIONS.keys));
      expect(code, way.join('.')).toMatch(/^(corrupt\/CONFIG_CORRUPT|denied\/WRONG_KEY|unsupported\/\w+)$/);
      codes.add(code);
      count += 1;
    }
    expect(count).toBeGreaterThan(25);
    expect(codes).toContain('corrupt/CONFIG_CORRUPT');
  });

  it.each([
    ['memory beyond all reason', { memoryKib: 2 ** 31 }],
    ['more memory than is believed', { memoryKib: 8 * 1024 * 1024 }],
    ['passes without end', { passes: 2 ** 31 }],
    ['much of everything', { memoryKib: 4 * 1024 * 1024, passes: 1000, parallelism: 255 }],
    ['no memory at all', { memoryKib: 0 }],
    ['half a lane', { parallelism: 0.5 }],
  ])('that asks for %s is refused at once, for any key, with nothing allocated', async (_, cost) => {
    const parsed = JSON.parse(utf8Decode(await readFile(config()))) as { keys: { slots: { type: string }[] } };
    const slot = parsed.keys.slots.findIndex(({ type }) => type === 'passphrase');
    const changes = Object.entries(cost).map(
      ([name, value]) => [['keys', 'slots', `${slot}`, 'argon2', name], value] as const,
    );
    const [begin, memory] = [performance.now(), process.memoryUsage().rss];
    await withConfig(changes, async () => {
      for (const keys of [SEALED_OPTIONS.keys, { passphrase: 'the right passphrase' }])
        expect((await refusal(keys)).code).toBe('corrupt/CONFIG_CORRUPT');
    });
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(process.memoryUsage().rss - memory).toBeLessThan(256 * 1024 * 1024);
  });
});
