import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { storeError } from '../../src/errors/store-error.ts';
import { importObjects, type ObjectSink, type SnapshotStoreImportOptions } from '../../src/exchange/index.ts';
import { parsePythonJson, pythonFloatText } from '../../src/exchange/python-json.ts';
import { readSnapshotStore, type SnapshotStoreItem } from '../../src/exchange/read-snapshot-store.ts';
import { digestOf } from '../../src/hash/index.ts';
import { text } from '../support/contents.ts';
import { all, testFolder } from '../support/stores.ts';
import { writeBelow } from './chunkstore-folder.ts';

/** Bytes that snapshot-store wrote, with the BLAKE3 and SHA-256 that it named them by. */
const HELLO = {
  text: '{"content":"SGVsbG8sIFdvcmxkIQ==","type":"blob"}',
  blake3: '38f2771fd843344ed2697729ac210ca2d101a66efd56aa9b304f54fc8afcec35',
  sha256: '34dff8e323624d992a20f91754fe45aa6fc46d145d9ac33157ec733be3dbf203',
};
const EMPTY = {
  text: '{"content":"","type":"blob"}',
  blake3: '5fc14d4a0726139a861b78b7e99a115add59be29d99ad85d2f1aed648484a0cb',
  sha256: '421fe3de00ffdb1eaf80c0757b70b70346dcdd4bffd57964f84c362103d94d60',
};
const BUNDLE = {
  text: '{"content":{"operations":[],"sequence":1},"type":"bundle"}',
  blake3: 'b7f742e496ddac12d70ccbc5f15a9d3ddb14dd87c8aad4cf0bb3835d529a6e21',
  sha256: 'd9732c01037c54d066310390e56e989631848d2d68fe6b78b9c54c3a82cde0be',
};

type Algorithm = 'blake3' | 'sha256';

function hashOf(objectText: string, algorithm: Algorithm = 'blake3'): string {
  return Buffer.from(digestOf(algorithm, text(objectText))).toString('hex');
}

/** Writes an object under its digest. @returns its id */
async function writeObject(folder: string, objectText: string, algorithm: Algorithm = 'blake3'): Promise<string> {
  const id = hashOf(objectText, algorithm);
  await writeBelow(folder, `objects/${id.slice(0, 2)}/${id}`, objectText);
  return id;
}

function list(ids: readonly string[]): string {
  return ids.map((id) => `"${id}"`).join(',');
}

function snapshotText(bundles: readonly string[], parent?: string): string {
  const above = parent === undefined ? '' : `,"parent":"${parent}"`;
  return `{"content":{"bundles":[${list(bundles)}]${above}},"type":"snapshot"}`;
}

function treeText(children: readonly string[], metadata = ''): string {
  return `{"content":{"children":[${list(children)}]}${metadata},"type":"tree"}`;
}

/** A sink that keeps what it is given in the order of the calls. */
function memorySink(options: { readonly refuse?: (call: unknown[]) => Error | undefined } = {}) {
  const calls: unknown[][] = [];
  const take = async (...call: unknown[]): Promise<string> => {
    const error = options.refuse?.(call);
    if (error) throw error;
    calls.push(call);
    return `new-${calls.length}`;
  };
  const sink: ObjectSink = {
    putBlob: (bytes, ...rest) => take('blob', Buffer.from(bytes).toString(), ...rest),
    putBundle: (content, ...rest) => take('bundle', content, ...rest),
    putTree: (children, ...rest) => take('tree', children, ...rest),
    putSnapshot: (content, ...rest) => take('snapshot', content, ...rest),
    setRef: async (name, target) => void (await take('ref', name, target)),
  };
  return { calls, sink };
}

async function imported(folder: string, options: SnapshotStoreImportOptions = {}) {
  const { calls, sink } = memorySink();
  return { calls, report: await importObjects(folder, sink, options) };
}

function codesOf(items: readonly { readonly error: unknown }[]): string[] {
  return items.map(({ error }) => (error as { code: string }).code);
}

function orderOf(items: readonly SnapshotStoreItem[]): string[] {
  return items.flatMap((item) => (item.kind === 'object' ? [item.object.id] : []));
}

describe('the JSON of snapshot-store', () => {
  it('has the numbers that Python writes', () => {
    const numbers = [
      1, 0.1, 1e16, 1e-7, -0, 1e21, 1.5e300, 100_000, 1e15, 1e-4, 0.00012, -12.5, 9999999999999998, 5e-324,
    ];
    expect(numbers.map(pythonFloatText).join(' ')).toBe(
      '1.0 0.1 1e+16 1e-07 -0.0 1e+21 1.5e+300 100000.0 1000000000000000.0 0.0001 0.00012 -12.5 9999999999999998.0 5e-324',
    );
  });

  it.each([
    '{"a":1,"b":2,"c":3}',
    '{"ctrl":"\\u0001\u007f\u2028","é":1,"\uffff":2,"😀":3}',
    '[1.0,0.1,1e+16,1e-07,123456789012345678901234567890,-0.0,1e+21,1.5e+300,100000.0,1000000000000000.0]',
    '{"__proto__":{"x":1},"constructor":null}',
    '"\\n\\t\\b\\f\\r\\"\\\\/"',
    '[true,false,null,0,-7,[],{}]',
  ])('takes %s', (canonical) => {
    expect(parsePythonJson(text(canonical))).toBeDefined();
  });

  it.each([
    ['white space', '{"a": 1}'],
    ['a newline at the end', '{"a":1}\n'],
    ['keys twice', '{"a":1,"a":1}'],
    ['keys out of order', '{"b":1,"a":1}'],
    ['keys in the order of UTF-16', '{"é":1,"😀":3,"\uffff":2}'],
    ['an escape that Python does not write', '"\\u00e9"'],
    ['half a surrogate pair', '"\\ud800"'],
    ['a number of JavaScript', '[1e21]'],
    ['a float with too many digits', '[1.00]'],
    ['an integer with an exponent', '[1e+2]'],
    ['minus zero as an integer', '[-0]'],
    ['infinity', '[Infinity]'],
    ['a number beyond all doubles', '[1e+400]'],
    ['a byte order mark', '\ufeff{}'],
    ['too deep a nesting', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['nothing', ''],
  ])('refuses %s', (_, other) => {
    expect(parsePythonJson(text(other))).toBeUndefined();
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(parsePythonJson(new Uint8Array([0x22, 0xff, 0x22]))).toBeUndefined();
  });
});

describe('reading a folder of snapshot-store', () => {
  it.each(['blake3', 'sha256'] as const)('verifies what is named by %s', async (algorithm) => {
    const folder = await testFolder();
    for (const one of [HELLO, EMPTY, BUNDLE])
      expect(await writeObject(folder, one.text, algorithm)).toBe(one[algorithm]);
    const items = await all(readSnapshotStore(folder));
    expect(items.map(({ kind }) => kind)).toEqual(['object', 'object', 'object']);
    const found = items.flatMap((item) => (item.kind === 'object' ? [item.object] : []));
    expect(found.every((object) => object.algorithm === algorithm)).toBe(true);
    expect(found.find(({ id }) => id === HELLO[algorithm])?.content).toEqual({
      type: 'blob',
      bytes: text('Hello, World!'),
    });
  });

  it('gives each object after those it refers to: diamonds are legal, chains may be long', async () => {
    const folder = await testFolder();
    const bundle = await writeObject(folder, BUNDLE.text);
    const blob = await writeObject(folder, HELLO.text);
    const left = await writeObject(folder, treeText([blob], ',"metadata":{"side":"left"}'));
    const right = await writeObject(folder, treeText([blob], ',"metadata":{"side":"right"}'));
    const top = await writeObject(folder, treeText([left, right]));
    const chain: string[] = [];
    for (let index = 0; index < 1500; index += 1) {
      chain.push(await writeObject(folder, snapshotText([bundle], chain.at(-1))));
    }
    // A member whose parent refers to it as well: snapshot-store called this a cycle.
    await writeObject(folder, snapshotText([chain[0] as string], chain[1]));
    const order = orderOf(await all(readSnapshotStore(folder)));
    expect(order).toHaveLength(1506);
    const at = new Map(order.map((id, index) => [id, index]));
    const position = (id: string): number => at.get(id) ?? Number.NaN;
    expect(chain.every((id, index) => index === 0 || position(id) > position(chain[index - 1] as string))).toBe(true);
    for (const side of [left, right])
      expect([position(blob) < position(side), position(side) < position(top)]).toEqual([true, true]);
  });

  it('tells every damaged, missing and misplaced object, and what refers to one; the rest goes on', async () => {
    const [folder, outside] = [await testFolder(), await testFolder()];
    const good = await writeObject(folder, HELLO.text);
    const tampered = await writeObject(folder, BUNDLE.text);
    await writeBelow(folder, `objects/${tampered.slice(0, 2)}/${tampered}`, BUNDLE.text.replace(':1', ': 1'));
    const above = await writeObject(folder, snapshotText([tampered]));
    const further = await writeObject(folder, snapshotText([], above));
    const missing = await writeObject(folder, treeText([good, 'ab'.repeat(32)]));
    for (const odd of [
      '{"content":{},"type":"bundle"}',
      '{"content":[],"type":"bundle"}',
      '{"content":"SGVsbG8","type":"blob"}',
      '{"content":{"bundles":[],"parent":"../../etc/passwd"},"type":"snapshot"}',
      '{"content":{"children":["../../../x"]},"type":"tree"}',
      '{"content":{"bundles":[]},"type":"commit"}',
      '{"content":"","metadata":[],"type":"blob"}',
      '{"content":"","more":1,"type":"blob"}',
      '[1]',
      '7',
    ]) {
      await writeObject(folder, odd);
    }
    await writeBelow(folder, 'objects/zz/notes.txt', 'mine');
    await writeBelow(folder, `objects/00/${good}`, HELLO.text);
    await writeBelow(folder, 'objects/38/.tmp_1234.json', '{"content":');
    await writeBelow(outside, 'x', EMPTY.text);
    await writeBelow(folder, `objects/${EMPTY.blake3.slice(0, 2)}/keep`, '');
    await symlink(path.join(outside, 'x'), path.join(folder, `objects/${EMPTY.blake3.slice(0, 2)}/${EMPTY.blake3}`));
    const items = await all(readSnapshotStore(folder));
    expect(orderOf(items)).toEqual([good]);
    const failures = items.flatMap((item) => (item.kind === 'failure' ? [item] : []));
    expect(failures).toHaveLength(4 + 10 + 4);
    const codeOf = (id: string) => codesOf(failures.filter((one) => one.id === id));
    expect([tampered, above, further, missing].map(codeOf)).toEqual([
      ['IMPORT_CORRUPT'],
      ['IMPORT_UNSUPPORTED'],
      ['IMPORT_UNSUPPORTED'],
      ['IMPORT_CORRUPT'],
    ]);
    const linked = failures.find((one) => one.path.endsWith(EMPTY.blake3));
    expect(linked?.error).toMatchObject({ code: 'SOURCE_INVALID' });
  });

  it('refuses what is no folder of snapshot-store', async () => {
    const folder = await testFolder();
    await expect(all(readSnapshotStore(folder))).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
    await expect(all(readSnapshotStore(path.join(folder, 'no')))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(all(readSnapshotStore(7 as never))).rejects.toThrow(TypeError);
    await writeObject(folder, HELLO.text);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(all(readSnapshotStore(folder, { signal }))).rejects.toThrow('enough');
  });
});

describe('importing a folder of snapshot-store', () => {
  it('makes objects and refs of it, and maps the old ids to the new', async () => {
    const folder = await testFolder();
    const blob = await writeObject(
      folder,
      '{"content":"SGVsbG8sIFdvcmxkIQ==","metadata":{"mime":"text/plain"},"type":"blob"}',
    );
    const bundle = await writeObject(folder, BUNDLE.text, 'sha256');
    const tree = await writeObject(
      folder,
      treeText([blob], `,"metadata":{"names":{"${blob}":"hello.txt"},"owner":"me"}`),
    );
    const first = await writeObject(folder, snapshotText([bundle, bundle]));
    const second = await writeObject(folder, snapshotText([], first));
    await writeBelow(folder, 'snapshots/main', second);
    await writeBelow(folder, 'snapshots/tree', `${tree}\n`);
    const mapFile = path.join(await testFolder(), 'map.jsonl');
    await writeFile(mapFile, 'of an import before');
    const unnamed = await writeObject(folder, treeText([bundle]));
    const { calls, report } = await imported(folder, { mapFile });
    const idOf = (old: string) => report.ids.get(old)?.id;
    expect(report).toMatchObject({ blake3: 5, sha256: 1, refs: 2, failed: 0 });
    expect(report.differences).toEqual([{ kind: 'child-unnamed', id: unnamed, child: bundle }]);
    expect(report.objects).toEqual({ blob: 1, bundle: 1, tree: 2, snapshot: 2 });
    expect(calls).toEqual(
      expect.arrayContaining([
        ['blob', 'Hello, World!', { mime: 'text/plain' }],
        ['bundle', { operations: [], sequence: 1 }],
        ['tree', [{ name: 'hello.txt', type: 'blob', id: idOf(blob) }], { owner: 'me' }],
        ['snapshot', { bundles: [idOf(bundle), idOf(bundle)] }],
        ['snapshot', { bundles: [], parent: idOf(first) }],
        ['ref', 'main', { type: 'snapshot', id: idOf(second) }],
        ['ref', 'tree', { type: 'tree', id: idOf(tree) }],
      ]),
    );
    const lines = (await readFile(mapFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(6);
    expect(lines).toContainEqual({ old: bundle, new: idOf(bundle), type: 'bundle' });
    const nowhere = path.join(folder, 'no/map');
    await expect(imported(folder, { mapFile: nowhere })).rejects.toMatchObject({ code: 'LOCATION_INVALID' });
  });

  it('lists numbers whose text changes, and refuses or writes out those that no number holds', async () => {
    const folder = await testFolder();
    const floats = await writeObject(folder, '{"content":{"n":[1.0,0.1,1e+16,-0.0,7,1.5e+300]},"type":"bundle"}');
    const large = await writeObject(folder, '{"content":{"n":9007199254740993,"ok":9007199254740991},"type":"bundle"}');
    const above = await writeObject(folder, snapshotText([floats, large]));
    await writeBelow(folder, 'snapshots/broken', above);
    const { report } = await imported(folder);
    expect(report.differences).toEqual(
      [
        ['1.0', '1'],
        ['1e+16', '10000000000000000'],
        ['-0.0', '0'],
      ].map(([before, after]) => ({ kind: 'number', id: floats, before, after })),
    );
    expect(report.failures.map(({ id, name }) => name ?? id)).toEqual([large, above, 'broken']);
    expect(new Set(codesOf(report.failures))).toEqual(new Set(['IMPORT_UNSUPPORTED']));
    const asText = await imported(folder, { numbers: 'text' });
    expect(asText.report).toMatchObject({ failed: 0, refs: 1, differenceCount: 4 });
    expect(asText.calls).toContainEqual(['bundle', { n: '9007199254740993', ok: 9007199254740991 }]);
  });

  it('names the children of trees that had no usable name, and lists that', async () => {
    const folder = await testFolder();
    const ids: string[] = [];
    for (const content of ['MQ==', 'Mg==', 'Mw==', 'NA==', 'NQ==']) {
      ids.push(await writeObject(folder, `{"content":"${content}","type":"blob"}`));
    }
    const [one = '', two = '', three = '', four = '', five = ''] = ids;
    const names = Object.entries({
      [one]: 'z',
      [two]: 'a/b',
      [three]: 'z',
      [four]: 'n'.repeat(4097),
      [five]: one,
      ['ff'.repeat(32)]: 'gone',
    })
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, name]) => `"${id}":"${name}"`);
    const tree = await writeObject(folder, treeText([...ids, one], `,"metadata":{"names":{${names.join(',')}}}`));
    const { calls, report } = await imported(folder);
    const [, children] = calls.find(([type]) => type === 'tree') as [string, { name: string; id: string }[]];
    expect(new Map(children.map(({ name, id }) => [name, id]))).toEqual(
      new Map(
        [
          ['z', one],
          [two, two],
          [three, three],
          [four, four],
          [five, five],
        ].map(([name, old = '']) => [name, report.ids.get(old)?.id]),
      ),
    );
    expect(children.map(({ name }) => name)).toEqual(children.map(({ name }) => name).toSorted());
    expect(report.differences).toEqual(
      expect.arrayContaining([
        { kind: 'child-renamed', id: tree, child: two },
        { kind: 'child-renamed', id: tree, child: three },
        { kind: 'child-renamed', id: tree, child: four },
        { kind: 'child-renamed', id: tree, child: five },
        { kind: 'child-repeated', id: tree, child: one },
        { kind: 'name-unused', id: tree, child: 'ff'.repeat(32) },
        expect.objectContaining({ kind: 'order-changed', id: tree }),
      ]),
    );
    expect(report.differenceCount).toBe(7);
  });

  it('reports names of nothing, and what the sink refuses of one; everything else ends it', async () => {
    const folder = await testFolder();
    const hello = await writeObject(folder, HELLO.text);
    const bundle = await writeObject(folder, BUNDLE.text);
    await writeBelow(folder, 'snapshots/no digest', 'main');
    await writeBelow(folder, 'snapshots/gone', 'ab'.repeat(32));
    await writeBelow(folder, 'snapshots/bad', bundle);
    await writeBelow(folder, 'snapshots/hello', hello);
    const refusing = memorySink({
      refuse: ([type]) => (type === 'bundle' ? storeError('KEY_INVALID', 'not this one') : undefined),
    });
    const report = await importObjects(folder, refusing.sink);
    expect(report).toMatchObject({ failed: 4, refs: 1, objects: { blob: 1, bundle: 0 } });
    expect(codesOf(report.failures)).toEqual(['KEY_INVALID', 'IMPORT_UNSUPPORTED', 'IMPORT_CORRUPT', 'IMPORT_CORRUPT']);
    const full = memorySink({ refuse: () => storeError('DISK_FULL', 'full') });
    await expect(importObjects(folder, full.sink)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await rm(path.join(folder, 'snapshots'), { recursive: true });
    expect(await imported(folder)).toMatchObject({ report: { refs: 0, failed: 0 } });
  });
});
