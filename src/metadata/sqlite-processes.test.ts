import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetadataFile } from '../../test/support/metadata-file.ts';

const PROGRAM = fileURLToPath(new URL('../../test/support/committing-process.ts', import.meta.url));

let file: MetadataFile;
const processes: ChildProcess[] = [];

beforeEach(async () => {
  file = await MetadataFile.make();
  await (await file.open({ create: true })).close();
});

afterEach(async () => {
  for (const one of processes.splice(0)) one.kill('SIGKILL');
  await file.remove();
});

function start(name: string, count: number) {
  const child = spawn(process.execPath, [PROGRAM, file.path, name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  return { child, lines: createInterface({ input: child.stdout }) };
}

async function numbersOf(name: string, count: number): Promise<readonly number[]> {
  const numbers: number[] = [];
  for await (const line of start(name, count).lines) numbers.push(Number(line));
  return numbers;
}

describe('metadata of several processes', () => {
  it('gives every commit number once, whoever asks', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((name) => numbersOf(name, 25)));
    for (const numbers of all) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    const together = all.flat().toSorted((a, b) => a - b);
    expect(together).toEqual(Array.from({ length: 75 }, (_, index) => index + 1));
    const metadata = await file.open();
    expect(await metadata.counters()).toMatchObject({ entries: 75, outbox: 75 });
    expect((await metadata.check()).problems).toEqual([]);
  });

  it('keeps every commit that a killed process was told of, and works on', async () => {
    let entries = 0;
    for (const killAfter of [1, 7, 20]) {
      const { child, lines } = start(`killed after ${killAfter}`, 100_000);
      let told = 0;
      for await (const line of lines) {
        told = Number(line);
        if (told >= entries + killAfter) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const metadata = await file.open();
      const { commit } = await metadata.head();
      expect(commit).toBeGreaterThanOrEqual(told);
      expect(await metadata.counters()).toMatchObject({ entries: commit, outbox: commit });
      expect((await metadata.check()).problems).toEqual([]);
      entries = commit;
    }
  });
});
