import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkOf } from '../../src/format/check.ts';
import { createStore, type Inspection, inspectFile, openPutOnly } from '../../src/index.ts';
import { parseKey } from '../../src/keys/index.ts';
import { patched } from '../support/mutations.ts';
import { cutOff, flipByte, imageOf, journalFiles, packFiles } from '../support/store-files.ts';
import { closedAfterTest, testFolder } from '../support/stores.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../golden/v1');

/** Bytes of a golden file that is text of hex digits, under a name of its own. */
async function unhexed(name: string, as = 'file'): Promise<string> {
  const file = path.join(await testFolder(), as);
  await mkdir(path.dirname(file), { recursive: true });
  const text = await readFile(path.join(GOLDEN, name), 'utf8');
  await writeFile(file, Buffer.from(text.replace(/\s/g, ''), 'hex'));
  return file;
}

async function copied(name: string): Promise<string> {
  const folder = await testFolder();
  await cp(path.join(GOLDEN, name), folder, { recursive: true });
  return folder;
}

function partsOf({ problems }: Inspection): string[] {
  return problems.map(({ part, code }) => `${part}: ${code}`);
}

describe('inspecting files of the golden store', () => {
  it('shows every pack whole, and every journal record with its operations', async () => {
    const folder = path.join(GOLDEN, 'store');
    const classes = new Set<string | undefined>();
    const types = new Set<string>();
    const commits: number[] = [];
    for (const file of [...(await packFiles(folder)), ...(await journalFiles(folder))]) {
      const inspection = await inspectFile(file);
      const { kind, outcome, shard, pack } = inspection;
      expect({ kind, outcome, path: inspection.path, locked: inspection.locked }).toEqual({
        ...{ kind: 'shard', outcome: 'ok', path: file, locked: undefined },
      });
      expect(shard?.header).toMatchObject({ index: 0, k: 1, m: 0, pack: pack?.header?.pack, packBytes: pack?.bytes });
      expect(shard?.damagedBlocks).toEqual([]);
      expect(pack?.items).toHaveLength(pack?.footer?.itemCount ?? -1);
      classes.add(pack?.header?.class);
      for (const record of pack?.journal ?? []) {
        commits.push(record.commit);
        for (const { type } of record.operations) types.add(type);
      }
    }
    expect([...classes].sort()).toEqual(['data', 'journal', 'meta']);
    expect(Math.max(...commits)).toBe(new Set(commits).size);
    expect([...types]).toEqual(expect.arrayContaining(['incarnation', 'entry-put', 'entry-delete', 'pack-add']));
  });

  it('shows the values of the format’s golden files', async () => {
    const data = await inspectFile(await unhexed('format/data-pack.hex'));
    expect(data).toMatchObject({ kind: 'pack', outcome: 'ok', bytes: 423 });
    expect(data.pack).toMatchObject({
      header: { store: '00a74ef59c43ea9138df862dd47b22c9', class: 'data', keyMode: 'plain' },
      footer: { directoryOffset: 217, directoryLength: 142, recordCount: 2, itemCount: 3 },
    });
    expect(
      data.pack?.items?.map(({ ordinal, offset, codec, inner, length }) => [ordinal, offset, codec, inner, length]),
    ).toEqual([
      [0, 128, 0, 0, 15],
      [0, 128, 0, 15, 16],
      [1, 175, 1, 0, 360],
    ]);
    const copy = await inspectFile(await unhexed('format/copy-shard.hex'));
    expect(copy.shard).toMatchObject({ header: { index: 1, k: 1 }, damagedBlocks: [] });
    expect(copy.pack?.items).toEqual(data.pack?.items);
    expect(await inspectFile(await unhexed('format/journal-pack.hex'))).toMatchObject({ outcome: 'ok' });
    expect(await inspectFile(await unhexed('format/meta-pack.hex'))).toMatchObject({
      pack: { header: { class: 'meta' } },
    });
    expect(await inspectFile(path.join(GOLDEN, 'format/store-config.txt'))).toMatchObject({
      ...{ kind: 'config', outcome: 'ok', config: { format: 1, keys: 'none' } },
    });
    const marker = await inspectFile(path.join(GOLDEN, 'placement/backend-marker.txt'));
    expect(marker).toMatchObject({ kind: 'backend marker', marker: { backendId: expect.any(String) } });
    expect(await inspectFile(path.join(GOLDEN, 'single-file/store.hold'))).toMatchObject({
      ...{ kind: 'single file', file: { pageBytes: 8192, blobs: expect.any(Number) } },
    });
  });

  it('shows of a shard among several what it says itself, and of the first one the header of the pack', async () => {
    for (const index of [0, 2, 4]) {
      const { outcome, shard, pack } = await inspectFile(path.join(GOLDEN, `placement/shard-${index}.bin`));
      expect(outcome).toBe('ok');
      expect(shard).toMatchObject({ header: { index, k: 3, m: 2 }, trailer: { blocks: 1 }, damagedBlocks: [] });
      expect(shard?.trailer?.roots).toHaveLength(5);
      expect(pack?.header?.pack).toBe(index === 0 ? shard?.header?.pack : undefined);
    }
  });

  it('lists no more than it is asked for, and proves the rest all the same', async () => {
    const file = await unhexed('format/data-pack.hex');
    const { pack } = await inspectFile(file, { limit: 1 });
    expect(pack).toMatchObject({ footer: { itemCount: 3 }, items: [{ ordinal: 0 }] });
    await flipByte(file, 180);
    expect(await inspectFile(file, { limit: 0 })).toMatchObject({ outcome: 'damaged', pack: { items: [] } });
    await expect(inspectFile(file, { limit: -1 })).rejects.toBeInstanceOf(RangeError);
  });

  it('writes nothing', async () => {
    const folder = await copied('store');
    const before = await imageOf(folder);
    for (const file of [...(await packFiles(folder)), path.join(folder, 'holdfast.json')]) await inspectFile(file);
    expect(await imageOf(folder)).toEqual(before);
  });
});

describe('inspecting sealed files', () => {
  const folder = path.join(GOLDEN, 'sealed-store');
  let keys: { key: Uint8Array };
  beforeAll(async () => {
    keys = { key: parseKey(await readFile(path.join(GOLDEN, 'sealed-store.key'))) };
  });

  it('shows without keys what anybody can read, and says what is missing', async () => {
    for (const file of [...(await packFiles(folder)), ...(await journalFiles(folder))]) {
      const { outcome, locked, shard, pack } = await inspectFile(file);
      expect({ outcome, locked }).toEqual({ outcome: 'ok', locked: 'KEY_REQUIRED' });
      expect(shard?.damagedBlocks).toEqual([]);
      expect(pack).toEqual({ bytes: expect.any(Number), header: expect.objectContaining({ keyMode: 'sealed' }) });
    }
    const page = await inspectFile(path.join(folder, 'keys/ae43aa97'));
    expect(page).toMatchObject({ kind: 'key page', locked: 'KEY_REQUIRED', keyPage: { namespace: 0xae43aa97 } });
  });

  it('shows all of it with keys, but no secret', async () => {
    const types = new Set<string>();
    const entries: unknown[] = [];
    const files = [...(await packFiles(folder)), ...(await journalFiles(folder)), path.join(folder, 'keys/ae43aa97')];
    for (const file of files) {
      const { outcome, pack } = await inspectFile(file, { keys });
      expect(outcome, file).toBe('ok');
      for (const { operations } of pack?.journal ?? [])
        for (const { type, namespace, entry } of operations) {
          types.add(namespace === undefined ? type : `${type} of a namespace`);
          if (entry !== undefined) entries.push(entry);
        }
    }
    expect([...types]).toEqual(expect.arrayContaining(['entry-put', 'entry-put of a namespace', 'pack-add']));
    expect(entries).toContainEqual(
      expect.objectContaining({ isolated: expect.any(Number), digest: expect.any(String) }),
    );
    const page = await inspectFile(path.join(folder, 'keys/ae43aa97'), { keys });
    expect(page.keyPage).toEqual({ namespace: 0xae43aa97, opens: true });
    const config = await inspectFile(path.join(folder, 'holdfast.json'), { keys });
    expect(config.ring).toMatchObject({ epochs: [{ number: 2 }, { number: 3 }] });
  });

  it('takes the config from elsewhere, and no keys that are not those of the store', async () => {
    const [pack = ''] = await packFiles(folder);
    const alone = path.join(await testFolder(), 'alone');
    await cp(pack, alone);
    await expect(inspectFile(alone, { keys })).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
    const config = path.join(folder, 'holdfast.json');
    expect(await inspectFile(alone, { keys, config })).toMatchObject({ outcome: 'ok', pack: { footer: {} } });
    const wrong = { key: new Uint8Array(32).fill(9) };
    await expect(inspectFile(pack, { keys: wrong })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    const plain = path.join(GOLDEN, 'store/holdfast.json');
    await expect(inspectFile(plain, { keys })).rejects.toMatchObject({ code: 'STORE_NOT_SEALED' });
  });

  it('tells of a flipped bit in a sealed pack with keys as without', async () => {
    const copy = await copied('sealed-store');
    const [pack = ''] = await packFiles(copy);
    await flipByte(pack, 128 + 128 + 3);
    expect(partsOf(await inspectFile(pack))).toEqual(['shard block 0: SHARD_CORRUPT']);
    expect(partsOf(await inspectFile(pack, { keys }))).toEqual([
      'shard block 0: SHARD_CORRUPT',
      'record 0: PACK_CORRUPT',
    ]);
  });
});

describe('inspecting a message', () => {
  it('shows its head and parts, and with keys the entry it asks for', async () => {
    const folder = await testFolder();
    const keys = { key: new Uint8Array(32).fill(7) };
    const store = closedAfterTest(await createStore(folder, { keys, reserveBytes: 0 }));
    const writer = closedAfterTest(
      await openPutOnly(folder, { credential: await store.keys.exportWriter({ label: 'web' }) }),
    );
    await writer.put('letter', 'a small message', { attributes: { from: 'Ada' } });
    const image = Object.keys(await imageOf(folder)).filter((name) => name.startsWith('inbox'));
    const [part = '', head = ''] = image.map((name) => path.join(folder, name));
    expect(await inspectFile(head)).toMatchObject({
      ...{ kind: 'message head', outcome: 'ok', locked: 'KEY_REQUIRED', message: { namespace: 0, signed: true } },
    });
    expect((await inspectFile(head, { keys })).message?.entry).toMatchObject({
      ...{ key: 'letter', size: 15, parts: 1, attributes: { from: 'Ada' } },
    });
    expect(await inspectFile(part)).toMatchObject({ kind: 'message part', part: { index: 0 }, locked: 'KEY_REQUIRED' });
    expect((await inspectFile(part, { keys })).part).toMatchObject({ pieces: [{ length: 15 }], pieceCount: 1 });
    await flipByte(head, 64);
    expect(partsOf(await inspectFile(head))).toEqual(['message head: MESSAGE_CORRUPT']);
    await flipByte(part, 3);
    await flipByte(head, 64);
    expect(partsOf(await inspectFile(part, { keys }))).toEqual(['message part: MESSAGE_CORRUPT']);
  });
});

describe('inspecting damaged files', () => {
  it.each([
    ['the magic of the shard', 0, ['shard header']],
    ['the header of the shard', 50, ['shard header']],
    ['the header of the pack', 128 + 20, ['shard block 0', 'pack header']],
    ['a record', 128 + 130, ['shard block 0', 'record 0']],
    ['the directory', 128 + 230, ['shard block 0', 'pack directory']],
    ['the footer', 128 + 400, ['shard block 0', 'pack footer']],
    ['the block digests', 128 + 423 + 5, ['shard trailer']],
    ['the tail', -10, ['shard trailer']],
  ])('says that %s is damaged, and shows the rest', async (_, position, parts) => {
    const file = await unhexed('format/single-shard.hex');
    await flipByte(file, position);
    const inspection = await inspectFile(file);
    expect(inspection).toMatchObject({ kind: 'shard', outcome: 'damaged' });
    expect(inspection.problems.map(({ part }) => part)).toEqual(parts);
    const isListed = !parts.some((part) => part === 'pack directory' || part === 'pack footer');
    expect(inspection.pack?.items?.length).toBe(isListed ? 3 : undefined);
  });

  it('shows what is left of a shard that was cut off, or has lost its name and front', async () => {
    const file = await unhexed('format/single-shard.hex');
    await cutOff(file, 200);
    expect(await inspectFile(file)).toMatchObject({
      ...{ kind: 'shard', outcome: 'damaged', pack: { header: { class: 'data' } } },
    });
    const named = await unhexed('format/single-shard.hex', `packs/01/${'0'.repeat(30)}01.0`);
    await writeFile(named, new Uint8Array(100));
    expect(await inspectFile(named)).toMatchObject({ kind: 'shard', outcome: 'damaged' });
  });

  it('tells of the head of a message that was cut off anywhere that it is damaged', async () => {
    for (const length of [20, 40, 100, 1700]) {
      const file = await unhexed('inbox/head.hex');
      await writeFile(file, (await readFile(file)).subarray(0, length));
      expect(partsOf(await inspectFile(file))).toEqual(['message head: MESSAGE_CORRUPT']);
    }
  });

  it('tells damage of configs and key pages', async () => {
    const folder = await copied('sealed-store');
    await flipByte(path.join(folder, 'holdfast.json'), 20);
    expect(partsOf(await inspectFile(path.join(folder, 'holdfast.json')))).toEqual(['config: CONFIG_CORRUPT']);
    await flipByte(path.join(folder, 'keys/ae43aa97'), 0);
    expect(partsOf(await inspectFile(path.join(folder, 'keys/ae43aa97')))).toEqual(['key page: KEY_PAGE_CORRUPT']);
  });

  it('calls what a newer version wrote unsupported, and not damage', async () => {
    const file = path.join(await testFolder(), 'holdfast.json');
    const text = await readFile(path.join(GOLDEN, 'format/store-config.txt'), 'utf8');
    await writeFile(file, text.replace('"format": 1', '"format": 9'));
    expect(await inspectFile(file)).toMatchObject({ outcome: 'damaged' });
    const pack = await unhexed('format/data-pack.hex');
    const front = patched((await readFile(pack)).subarray(0, 112), 8, [9]);
    await writeFile(pack, Buffer.concat([front, checkOf(front), (await readFile(pack)).subarray(128)]));
    expect(await inspectFile(pack)).toMatchObject({
      ...{ outcome: 'unsupported', problems: [{ part: 'pack header', code: 'FORMAT_UNSUPPORTED' }] },
    });
  });
});

describe('inspecting what is none of Holdfast’s', () => {
  it.each([
    ['a text', Buffer.from('Dear reader'), 'a text'],
    ['JSON', Buffer.from('{"format": 1}'), 'JSON'],
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['noise', Buffer.alloc(900, 0x91), 'nothing that is known'],
    ['gzip', Buffer.from('1f8b0800000000000000', 'hex'), 'gzip'],
  ])('refuses %s, and says what it looks like', async (_, bytes, looks) => {
    const file = path.join(await testFolder(), 'some-file');
    await writeFile(file, bytes);
    const error = await inspectFile(file).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'FILE_UNKNOWN', kind: 'invalid', message: expect.stringContaining(looks) });
  });

  it('refuses folders, databases and what belongs to them, and what is not there', async () => {
    const folder = await testFolder();
    const metadata = path.join(GOLDEN, 'metadata/plain-3.sqlite');
    for (const file of [folder, metadata, `${metadata}-shm`])
      await expect(inspectFile(file)).rejects.toMatchObject({ code: 'FILE_UNKNOWN' });
    const absent = inspectFile(path.join(folder, 'absent'));
    await expect(absent).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(inspectFile('')).rejects.toBeInstanceOf(TypeError);
  });
});
