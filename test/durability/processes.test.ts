import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { rebuildStore } from '../../src/index.ts';
import { blake3Text } from '../support/contents.ts';
import { type Acknowledged, contentOf, SHARED_KEYS } from '../support/shared-work.ts';
import { fileStore } from '../support/single-file.ts';
import { folderStore, keysOf, reopen, SOUND } from '../support/stores.ts';

const WRITERS = ['a', 'b', 'c'];
const SEED = 20_260_101;

const PLACES = [
  { place: 'a folder', operations: 40, make: () => folderStore() },
  {
    place: 'one file',
    operations: 15,
    make: async () => {
      const { file, store } = await fileStore();
      return { path: file, store };
    },
  },
];

interface RunningProcess {
  /** What it printed, once it has ended well. */
  readonly output: Promise<string>;
  endInput(): void;
}

function start(...args: readonly string[]): RunningProcess {
  const script = path.join(import.meta.dirname, '..', 'support', 'store-process.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], { stdio: 'pipe' });
  const ended = async (): Promise<string> => {
    const [output, problems, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${problems}`);
    return output;
  };
  return { output: ended(), endInput: () => child.stdin.end() };
}

describe('several processes on one store', () => {
  it.each(
    PLACES,
  )(`lose nothing of $place that was acknowledged, and their readers see no error (seed ${SEED})`, async ({
    operations,
    make,
  }) => {
    const { path: folder, store } = await make();
    const stable = Array.from({ length: 20 }, (_, index) => `stable/${index}`);
    for (const [index, key] of stable.entries()) await store.put(key, contentOf(1000 + index));

    const reader = start('read', folder, ...stable, ...SHARED_KEYS);
    const writers = WRITERS.map((name, index) =>
      start('write', folder, name, String(SEED + index), String(operations)),
    );
    const outputs = await Promise.all(writers.map(({ output }) => output));
    reader.endInput();
    const { reads } = JSON.parse(await reader.output) as { readonly reads: number };
    expect(reads).toBeGreaterThan(2 * operations);

    const logs = outputs.map((output) =>
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Acknowledged),
    );
    const own = new Map<string, number>();
    const shared = new Map<string, Set<number | null>>(SHARED_KEYS.map((key) => [key, new Set([null])]));
    for (const { key, seed } of logs.flat()) {
      if (shared.has(key)) shared.get(key)?.add(seed);
      else if (seed === null) own.delete(key);
      else own.set(key, seed);
    }
    expect(logs.flat()).toHaveLength(WRITERS.length * operations);
    await store.put('last', 'by the process that was there first');
    for (const [key, seed] of own) expect(blake3Text(await store.get(key)), key).toBe(blake3Text(contentOf(seed)));
    for (const [index, key] of stable.entries())
      expect(blake3Text(await store.get(key))).toBe(blake3Text(contentOf(1000 + index)));
    const present: string[] = [];
    for (const [key, seeds] of shared) {
      const digests = [...seeds].flatMap((seed) => (seed === null ? [] : [blake3Text(contentOf(seed))]));
      if (!(await store.has(key))) continue;
      present.push(key);
      expect(digests, key).toContain((await store.stat(key)).digest);
    }
    const keys = [...own.keys(), ...stable, ...present, 'last'].sort();
    expect(await keysOf(store)).toEqual(keys);
    expect((await store.stats()).entries).toBe(keys.length);
    expect(await store.maintenance.check()).toMatchObject(SOUND);
    await store.close();

    expect((await rebuildStore(folder, { reserveBytes: 0 })).problems).toEqual([]);
    const rebuilt = await reopen(folder);
    expect(await keysOf(rebuilt)).toEqual(keys);
    expect(await rebuilt.maintenance.check()).toMatchObject(SOUND);
  });
});
