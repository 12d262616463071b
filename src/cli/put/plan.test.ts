import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConsumerFolder, createConsumerFolder } from '../../../test/support/consumer-folder.ts';
import { inputsOf, type PutFlags, type PutInput, planPut } from './plan.ts';

describe('planPut', () => {
  let folder: ConsumerFolder;
  let tree: string;

  beforeEach(async () => {
    folder = await createConsumerFolder();
    tree = path.join(folder.path, 'tree');
    await mkdir(tree);
    await folder.write('tree/a', 'aa');
    await folder.write('tree/b/c', 'c');
  });
  afterEach(() => folder.remove());

  async function inputs(paths: readonly string[], flags: PutFlags): Promise<PutInput[]> {
    const plan = await planPut(paths, flags);
    const all: PutInput[] = [];
    for await (const input of inputsOf(plan, { signal: new AbortController().signal })) {
      if (input.kind === 'put') all.push(input);
    }
    return all;
  }

  async function keys(paths: readonly string[], flags: PutFlags = {}): Promise<(string | null)[]> {
    return (await inputs(paths, flags)).map(({ key }) => key);
  }

  it('names files and folders by their paths, as typed', async () => {
    const typed = tree.slice(1);
    expect(await keys([tree])).toEqual([`${typed}/a`, `${typed}/b/c`]);
    expect(await keys([`${tree}/./a`])).toEqual([`${typed}/a`]);
  });

  it('names what is given by --key, and puts everything below --prefix', async () => {
    expect(await keys([`${tree}/a`], { key: 'x' })).toEqual(['x']);
    expect(await keys([tree], { key: 'x' })).toEqual(['x/a', 'x/b/c']);
    expect(await keys([tree], { key: 'x', prefix: 'p/' })).toEqual(['p/x/a', 'p/x/b/c']);
    expect(await keys(['-'], { key: 'x', prefix: 'p' })).toEqual(['p/x']);
  });

  it('leaves the naming to the store where there is no name or none is wanted', async () => {
    expect(await keys(['-'])).toEqual([null]);
    expect(await keys([], { data: 'text' })).toEqual([null]);
    expect(await keys([tree], { name: 'digest' })).toEqual([null, null]);
    expect((await planPut([tree], { name: 'uuid' })).options).toEqual({ name: 'uuid' });
  });

  it('takes text given by --data', async () => {
    const [input] = await inputs([], { data: 'Grüße', key: 'k' });
    expect(input?.open()).toBe('Grüße');
    expect(await input?.countBytes()).toBe(7);
  });

  it('hands the options of the library on', async () => {
    const attribute = { host: 'db1' };
    const flags = { contentType: 'text/plain', attribute, chunking: 'text', ifAbsent: true, verifyExisting: true };
    const plan = await planPut([`${tree}/a`], { ...flags, key: 'x' });
    expect(plan.options).toEqual({
      contentType: 'text/plain',
      attributes: attribute,
      chunking: 'text',
      ifAbsent: true,
      verifyExisting: true,
    });
  });

  it.each<[string, readonly string[], PutFlags]>([
    ['nothing', [], {}],
    ['text beside paths', ['a'], { data: 'x' }],
    ['one key for several paths', ['a', 'b'], { key: 'k' }],
    ['a key and a way of naming', ['a'], { key: 'k', name: 'digest' }],
    ['standard input twice', ['-', '-'], {}],
    ['a prefix for what has no name', ['-'], { prefix: 'p' }],
    ['two conditions that exclude each other', ['a'], { ifAbsent: true, ifMatch: 'v' }],
    ['two paths of one name', ['a', './a'], {}],
    ['a path that leaves the folder', ['../a'], {}],
    ['a condition on one version for many', ['a', 'b'], { ifMatch: 'v' }],
  ])('refuses %s', async (_, paths, flags) => {
    await expect(planPut(paths, flags)).rejects.toMatchObject({ code: 'holdfast.usage' });
  });

  it('takes a path that leaves the folder when it is given a name', async () => {
    const up = path.join('..', path.basename(path.resolve('.')), 'package.json');
    expect(await keys([up], { key: 'k' })).toEqual(['k']);
    expect(await keys([up], { name: 'digest' })).toEqual([null]);
  });
});
