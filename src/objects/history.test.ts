import { describe, expect, it } from 'vitest';
import { collect, fakeId, ObjectMemory } from '../../test/support/object-memory.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { ancestry } from './ancestry.ts';
import { createSnapshot } from './edit-objects.ts';
import { mergeBase } from './merge-base.ts';
import { mergeBundles } from './merge-bundles.ts';

/** Snapshots by name, each after its parents. */
class History {
  readonly memory = new ObjectMemory();
  readonly ids = new Map<string, string>();
  readonly parents = new Map<string, readonly string[]>();

  async add(name: string, ...parents: string[]): Promise<void> {
    const [parent, ...merged] = parents.map((one) => this.ids.get(one) ?? '');
    const snapshot = createSnapshot({
      bundles: [],
      parent,
      merged: merged.length > 0 ? merged : undefined,
      metadata: { name },
    });
    this.ids.set(name, await this.memory.put(snapshot));
    this.parents.set(name, parents);
  }

  id(name: string): string {
    return this.ids.get(name) ?? fakeId(0);
  }

  names(ids: readonly string[]): string[] {
    return ids.map((id) => [...this.ids].find(([, one]) => one === id)?.[0] ?? '?').sort();
  }

  async base(a: string, b: string): Promise<string[]> {
    const [forth, back] = await Promise.all([
      mergeBase(this.id(a), this.id(b), this.memory.load),
      mergeBase(this.id(b), this.id(a), this.memory.load),
    ]);
    expect(forth).toEqual(back);
    return this.names(forth);
  }

  /** By brute force. */
  ancestors(name: string): Set<string> {
    const seen = new Set([name]);
    for (const one of seen) for (const parent of this.parents.get(one) ?? []) seen.add(parent);
    return seen;
  }
}

describe('ancestry', () => {
  it('lists each once, the nearest first', async () => {
    const history = new History();
    await history.add('root');
    await history.add('a', 'root');
    await history.add('b', 'root');
    await history.add('m', 'a', 'b');
    await history.add('top', 'm');
    const all = await collect(ancestry(history.id('top'), history.memory.load));
    expect(all.map(({ snapshot }) => snapshot.metadata?.name)).toEqual(['top', 'm', 'a', 'b', 'root']);
    const first = await collect(ancestry(history.id('top'), history.memory.load, { firstParent: true }));
    expect(first.map(({ snapshot }) => snapshot.metadata?.name)).toEqual(['top', 'm', 'a', 'root']);
  });

  it('goes back 10,000 snapshots', async () => {
    const history = new History();
    await history.add('0');
    for (let index = 1; index < 10_000; index += 1) await history.add(String(index), String(index - 1));
    let count = 0;
    for await (const { snapshot } of ancestry(history.id('9999'), history.memory.load)) {
      expect(snapshot.metadata?.name).toBe(String(9999 - count));
      count += 1;
    }
    expect(count).toBe(10_000);
    await history.add('side', '9000');
    history.memory.loads = [];
    expect(await mergeBase(history.id('side'), history.id('9999'), history.memory.load)).toEqual([history.id('9000')]);
    expect(await history.base('0', '9999')).toEqual(['0']);
  });

  it('says what is missing, and of what type it is', async () => {
    const history = new History();
    const orphaned = await history.memory.put(createSnapshot({ bundles: [], parent: fakeId(1) }));
    const collected = collect(ancestry(orphaned, history.memory.load));
    await expect(collected).rejects.toMatchObject({ code: 'OBJECT_MISSING', details: { object: fakeId(1) } });
  });
});

describe('mergeBase', () => {
  it('knows the classic shapes', async () => {
    const history = new History();
    for (const [name, ...parents] of [
      ['root'],
      ['a1', 'root'],
      ['b1', 'root'],
      ['a2', 'a1', 'b1'],
      ['b2', 'b1', 'a1'],
      ['a3', 'a2'],
      ['b3', 'b2'],
      ['other'],
      ['c1', 'root'],
      ['m', 'a1', 'c1'],
      ['n', 'm', 'b3'],
    ]) {
      await history.add(name as string, ...parents);
    }
    expect(await history.base('a1', 'a1')).toEqual(['a1']);
    expect(await history.base('a1', 'b1')).toEqual(['root']);
    expect(await history.base('root', 'a3')).toEqual(['root']);
    expect(await history.base('a2', 'a3')).toEqual(['a2']);
    expect(await history.base('a3', 'b3')).toEqual(['a1', 'b1']);
    expect(await history.base('a3', 'other')).toEqual([]);
    expect(await history.base('m', 'b3')).toEqual(['a1']);
    expect(await history.base('n', 'b3')).toEqual(['b3']);
  });

  it('does not take a short way round for a better ancestor', async () => {
    const history = new History();
    await history.add('old');
    await history.add('1', 'old');
    for (let index = 2; index <= 40; index += 1) await history.add(String(index), String(index - 1));
    await history.add('a', '40', 'old');
    await history.add('b', '40', 'old');
    expect(await history.base('a', 'b')).toEqual(['40']);
  });

  it('agrees with brute force on random histories', async () => {
    const random = seededRandom(3);
    for (let round = 0; round < 30; round += 1) {
      const history = new History();
      const size = 5 + random.integer(25);
      for (let index = 0; index < size; index += 1) {
        const parents = new Set<string>();
        const count = index === 0 ? 0 : random.integer(10) === 0 ? 0 : 1 + random.integer(3);
        for (let n = 0; n < count; n += 1) parents.add(String(Math.max(0, index - 1 - random.integer(8))));
        await history.add(String(index), ...parents);
      }
      for (let pair = 0; pair < 20; pair += 1) {
        const [a, b] = [String(random.integer(size)), String(random.integer(size))];
        const [fromA, fromB] = [history.ancestors(a), history.ancestors(b)];
        const common = [...fromA].filter((one) => fromB.has(one));
        const best = common.filter(
          (one) => !common.some((other) => other !== one && history.ancestors(other).has(one)),
        );
        expect(await history.base(a, b), `round ${round}: ${a} and ${b}`).toEqual(best.sort());
      }
    }
  });
});

describe('mergeBundles', () => {
  const merge = (base: string, ours: string, theirs: string) => {
    const { bundles, conflicts } = mergeBundles([...base], [...ours], [...theirs]);
    return conflicts.length > 0 ? `${bundles.join('')} ! ${conflicts.join('')}` : bundles.join('');
  };

  it.each([
    ['', '', '', ''],
    ['ab', 'ab', 'ab', 'ab'],
    ['ab', 'abx', 'ab', 'abx'],
    ['ab', 'ab', 'aby', 'aby'],
    ['ab', 'abx', 'aby', 'abxy'],
    ['ab', 'abx', 'abx', 'abx'],
    ['', 'x', 'y', 'xy'],
    ['abc', 'ac', 'abcy', 'acy'],
    ['abc', 'ac', 'ab', 'a'],
    ['abc', '', 'abcy', 'y'],
    ['abc', 'abcx', 'aybc', 'aybcx'],
    ['abc', 'abcx', 'yabc', 'yabcx'],
    ['abc', 'acb', 'abcy', 'acby'],
    ['abc', 'abcx', 'cba', 'cbax'],
    ['abc', 'cba', 'cba', 'cba'],
    ['abc', 'acb', 'bac', 'acb ! abc'],
    ['aa', 'aaa', 'aa', 'aaa'],
    ['aa', 'a', 'aaa', 'aa'],
  ])('of %j: %j and %j give %j', (base, ours, theirs, expected) => {
    expect(merge(base, ours, theirs)).toBe(expected);
  });

  it('keeps what both kept and what either added, and nothing else', () => {
    const random = seededRandom(8);
    for (let round = 0; round < 300; round += 1) {
      const base = [...'abcdefgh'].slice(0, random.integer(9));
      const side = (added: string) => {
        const list = base.filter(() => random.integer(4) > 0);
        for (const one of added) if (random.integer(2) === 0) list.splice(random.integer(list.length + 1), 0, one);
        return list;
      };
      const [ours, theirs] = [side('vwx'), side('xyz')];
      const { bundles } = mergeBundles(base, ours, theirs);
      const kept = base.filter((one) => ours.includes(one) && theirs.includes(one));
      const added = [...new Set([...ours, ...theirs])].filter((one) => !base.includes(one));
      expect([...bundles].sort(), JSON.stringify({ base, ours, theirs })).toEqual([...kept, ...added].sort());
    }
  });
});
