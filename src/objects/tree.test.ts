import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, fakeId, file, folder, ObjectMemory, sorted } from '../../test/support/object-memory.ts';
import { toBase64 } from '../bytes/base64.ts';
import { utf8Encode } from '../bytes/bytes.ts';
import { TREE_LEVELS_MAX, TREE_NODE_BYTES_MAX, TREE_NODE_NAMES_MAX } from '../limits.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { buildTree } from './build-tree.ts';
import { createTree } from './edit-objects.ts';
import { decodeObject, encodeObject, objectId, parseTree } from './object.ts';
import { findChild, readTree, walkPath } from './read-tree.ts';
import type { EntryChild, TreeChild, TreeNodeLink, TreeObject } from './types.ts';

function photos(count: number, from = 0): TreeChild[] {
  return Array.from({ length: count }, (_, index) =>
    file(`IMG_${String(from + index).padStart(7, '0')}.jpg`, index + 1),
  );
}

async function* oneByOne<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const one of items) yield await Promise.resolve(one);
}

async function built(children: readonly TreeChild[], metadata?: { a: number }) {
  const memory = new ObjectMemory();
  const id = await buildTree(children, memory.put, { metadata });
  return { memory, id };
}

function nodesOf(memory: ObjectMemory): readonly TreeObject[] {
  return [...memory.objects.values()] as TreeObject[];
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: { kind?: string; code?: string }) => `${error.kind}/${error.code}`,
  );
}

describe('buildTree', () => {
  it('keeps a small folder in one node, the one that createTree makes', async () => {
    for (const count of [5, TREE_NODE_NAMES_MAX]) {
      const children = photos(count);
      const { memory, id } = await built(children, { a: 1 });
      const tree = createTree([...children].reverse(), { a: 1 });
      expect([id, memory.objects.size]).toEqual([objectId(tree), 1]);
      expect(memory.objects.get(id)).toEqual(tree);
    }
    const empty = await built([]);
    expect(empty.id).toBe(objectId(createTree([])));
    expect(await collect(readTree(empty.id, empty.memory.load))).toEqual([]);
  });

  it('gives back what it was given, in any number, and the same id however it came', async () => {
    const random = seededRandom(5);
    for (const count of [0, 1, 1023, 1024, 1025, 4095, 4096, 4097, 9000 + random.integer(2000)]) {
      const children = photos(count);
      const { memory, id } = await built(children);
      expect(await collect(readTree(id, memory.load)), `${count} children`).toEqual(children);
      const other = new ObjectMemory();
      expect(await buildTree(oneByOne(children), other.put)).toBe(id);
      for (const node of nodesOf(memory)) {
        const bytes = encodeObject(node);
        expect(decodeObject(bytes)).toEqual(node);
        expect(bytes.length).toBeLessThanOrEqual(TREE_NODE_BYTES_MAX);
      }
    }
  });

  it('gives back any names and kinds', async () => {
    const bytesName = fc
      .uint8Array({ minLength: 1, maxLength: 6 })
      .map((bytes) => Buffer.from(bytes).toString('latin1'));
    const names = fc.uniqueArray(fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), bytesName), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(names, async (all) => {
        const usable = all.filter((name) => name.isWellFormed() && !/[/\0]|^\.\.?$/.test(name));
        const children = sorted(usable.map((name, index) => file(name, index)));
        const { memory, id } = await built(children);
        expect(await collect(readTree(id, memory.load))).toEqual(children);
        for (const child of children) expect(await findChild(id, child.name, memory.load)).toEqual(child);
      }),
    );
  });

  it('changes few nodes for one changed name, wherever it is', async () => {
    const children = photos(20_000);
    const { memory, id } = await built(children);
    const nodes = memory.objects.size;
    expect(nodes).toBeGreaterThan(8);
    expect(nodes).toBeLessThan(25);
    for (const place of [0, 7777, 19_999]) {
      const changes = {
        removed: children.toSpliced(place, 1),
        added: children.toSpliced(place, 0, file(`${children[place]?.name.slice(0, -1)}a`, 9)),
        changed: children.with(place, file(children[place]?.name ?? '', 99_999)),
      };
      for (const [kind, after] of Object.entries(changes)) {
        const before = memory.objects.size;
        expect(await buildTree(after, memory.put)).not.toBe(id);
        expect(memory.objects.size - before, `${kind} at ${place}`).toBeLessThanOrEqual(5);
      }
    }
  });

  it('splits folders of few large children by content too', async () => {
    const large = (index: number): EntryChild => ({
      type: 'entry',
      name: `key-${String(index).padStart(6, '0')}`,
      id: fakeId(index),
      size: 1,
      version: fakeId(1),
      modified: '2026-11-21T20:00:00.000000000Z',
      attributes: { text: 'x'.repeat(12_000) },
    });
    const children = Array.from({ length: 600 }, (_, index) => large(index));
    const { memory, id } = await built(children);
    expect(await collect(readTree(id, memory.load))).toEqual(children);
    const nodes = memory.objects.size;
    expect(nodes).toBeGreaterThan(8);
    await buildTree(children.slice(1), memory.put);
    expect(memory.objects.size - nodes).toBeLessThanOrEqual(4);
  });

  it('keeps in one node what has as many bytes as one may, and not a byte more', async () => {
    const room = TREE_NODE_BYTES_MAX - '{"entries":[]}'.length;
    const fill = (bytes: number): TreeChild[] => {
      const children = Array.from({ length: 500 }, (_, index) => file(`${1000 + index}${'n'.repeat(1700)}`));
      const used = children.reduce((sum, child) => sum + JSON.stringify(child).length + 1, -1);
      const rest = Math.ceil((bytes - used) / 500);
      const longer = children.map((child) => file(`${child.name}${'n'.repeat(rest)}`));
      const over = longer.reduce((sum, child) => sum + JSON.stringify(child).length + 1, -1) - bytes;
      return longer.map((child, index) =>
        index === 499 ? file(child.name.slice(0, child.name.length - over)) : child,
      );
    };
    const full = fill(room);
    const { memory, id } = await built(full);
    expect([memory.objects.size, id]).toEqual([1, objectId(createTree(full))]);
    expect((await built(fill(room + 1))).memory.objects.size).toBeGreaterThan(1);
    expect(() => createTree(fill(room + 1))).toThrow('must be split');
  });

  it('holds no more than one node of each level, and puts leaves first', async () => {
    const memory = new ObjectMemory();
    let [taken, most, put] = [0, 0, 0];
    async function* counted() {
      for (const child of photos(20_000)) {
        taken += 1;
        most = Math.max(most, taken - put);
        yield child;
      }
    }
    await buildTree(counted(), async (node) => {
      if ('entries' in node.content) put += node.content.entries.length;
      return memory.put(node);
    });
    expect(put).toBe(20_000);
    expect(most).toBeLessThanOrEqual(TREE_NODE_NAMES_MAX + 2);
  });

  it('makes as many levels as it takes', async () => {
    // Names that are so long as encoded that a leaf holds a dozen of them, and an inner node not many more.
    const long = '\u0001'.repeat(4000);
    const children = Array.from({ length: 1500 }, (_, index) => file(`${10_000 + index}${long}`));
    const { memory, id } = await built(children);
    const heights = nodesOf(memory).filter((node) => 'nodes' in node.content).length;
    expect(heights).toBeGreaterThan(1);
    let count = 0;
    for await (const child of readTree(id, memory.load)) expect(child.name).toBe(children[count++]?.name);
    expect(count).toBe(children.length);
  });

  it('keeps names that are not UTF-8 in the order of their bytes', async () => {
    const odd = (index: number): TreeChild => {
      const bytes = Uint8Array.of(0xff, index >> 8, index & 0xff, 0xfe).map((byte) =>
        byte === 0 || byte === 0x2f ? 0x30 : byte,
      );
      return file(new TextDecoder().decode(bytes), 1, { nameBytes: toBase64(bytes) });
    };
    const byName = new Map(
      Array.from({ length: 6000 }, (_, index) => odd(index)).map((one) => [
        (one as { nameBytes: string }).nameBytes,
        one,
      ]),
    );
    const order = (child: TreeChild) => Buffer.from((child as { nameBytes: string }).nameBytes, 'base64');
    const children = [...byName.values()].sort((a, b) => Buffer.compare(order(a), order(b)));
    const { memory, id } = await built(children);
    expect(memory.objects.size).toBeGreaterThan(2);
    expect(await collect(readTree(id, memory.load))).toEqual(children);
    const one = children[4321] as TreeChild;
    expect(await findChild(id, new Uint8Array(order(one)), memory.load)).toEqual(one);
  });

  it.each([
    ['a name twice', [file('a'), file('a')]],
    ['children out of order', [file('b'), file('a')]],
    ['what is no child', [{ name: 'a' } as never]],
    ['a child that is too large', [{ ...file('a'), type: 'link', target: 't', extra: 'x' } as never]],
  ])('refuses %s', async (_, children) => {
    expect(await codeOf(built(children))).toBe('invalid/OBJECT_INVALID');
  });

  it('hands on what put and the children throw', async () => {
    await expect(buildTree([file('a')], () => Promise.reject(new Error('full')))).rejects.toThrow('full');
    async function* failing(): AsyncGenerator<TreeChild> {
      yield file('a');
      throw new Error('unreadable');
    }
    await expect(buildTree(failing(), new ObjectMemory().put)).rejects.toThrow('unreadable');
  });
});

describe('findChild', () => {
  it('finds every name and nothing else, and loads one node of each level', async () => {
    const children = photos(30_000).filter((_, index) => index % 2 === 0);
    const { memory, id } = await built(children);
    for (const index of [0, 1, 777, 7500, 14_999]) {
      const wanted = children[index] as TreeChild;
      memory.loads = [];
      expect(await findChild(id, utf8Encode(wanted.name), memory.load)).toEqual(wanted);
      expect(memory.loads).toHaveLength(2);
      expect(await findChild(id, `${wanted.name}x`, memory.load)).toBeUndefined();
    }
    for (const name of ['', 'A', 'Z', '\u{10ffff}']) expect(await findChild(id, name, memory.load)).toBeUndefined();
  });
});

describe('walkPath', () => {
  it('goes through folders and named trees, and through nothing else', async () => {
    const memory = new ObjectMemory();
    const inner = await memory.put(createTree([file('leaf')]));
    const middle = await memory.put(createTree([folder('in', inner), { type: 'tree', name: 'named', id: inner }]));
    const root = await memory.put(createTree([folder('a', middle), file('file')]));
    expect(await walkPath(root, ['a', 'in', 'leaf'], memory.load)).toEqual(file('leaf'));
    expect(await walkPath(root, [utf8Encode('a'), 'named', 'leaf'], memory.load)).toEqual(file('leaf'));
    expect(await walkPath(root, ['a'], memory.load)).toEqual(folder('a', middle));
    for (const path of [['b'], ['file', 'leaf'], ['a', 'in', 'none'], ['a', '..', 'a'], ['a/in']]) {
      expect(await walkPath(root, path, memory.load)).toBeUndefined();
    }
    await expect(walkPath(root, [], memory.load)).rejects.toThrow(RangeError);
  });
});

describe('a tree that is not what it says', () => {
  const leaf = createTree(photos(3));
  const link = (more: Partial<TreeNodeLink> = {}): TreeNodeLink => ({
    first: photos(1)[0]?.name ?? '',
    id: objectId(leaf),
    count: 3,
    ...more,
  });

  it.each<readonly [string, readonly TreeNodeLink[], string]>([
    ['another first name', [link({ first: 'A' })], 'corrupt/OBJECT_CORRUPT'],
    ['another count', [link({ count: 4 })], 'corrupt/OBJECT_CORRUPT'],
    ['names of the next node', [link(), link({ first: 'IMG_0000001.jpg' })], 'corrupt/OBJECT_CORRUPT'],
    ['a missing node', [link({ id: fakeId(1) })], 'corrupt/OBJECT_MISSING'],
  ])('is found: %s', async (_, nodes, code) => {
    const memory = new ObjectMemory();
    await memory.put(leaf);
    const id = await memory.put(parseTree({ type: 'tree', content: { nodes } }));
    expect(await codeOf(collect(readTree(id, memory.load)))).toBe(code);
    expect(await codeOf(findChild(id, 'IMG_0000000.jpg', memory.load))).toBe(code);
  });

  it('is found: too many levels', async () => {
    const memory = new ObjectMemory();
    let id = await memory.put(leaf);
    for (let level = 0; level <= TREE_LEVELS_MAX + 1; level += 1) {
      id = await memory.put(parseTree({ type: 'tree', content: { nodes: [link({ id })] } }));
    }
    expect(await codeOf(collect(readTree(id, memory.load)))).toBe('corrupt/OBJECT_CORRUPT');
    expect(await codeOf(findChild(id, 'IMG_0000000.jpg', memory.load))).toBe('corrupt/OBJECT_CORRUPT');
  });

  it('is found: another type, and what the store could not read', async () => {
    const memory = new ObjectMemory();
    const bundle = await memory.put({ type: 'bundle', content: {} });
    expect(await codeOf(collect(readTree(bundle, memory.load)))).toBe('corrupt/OBJECT_CORRUPT');
    await expect(collect(readTree(bundle, () => Promise.reject(new Error('away'))))).rejects.toThrow('away');
  });
});
