/** `HOLDFAST_WRITE_TRACES=1 npx vitest run test/simulation/traces.test.ts` writes the files anew, to be reviewed. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { KINDS, newMachine, type StoreKind } from './kinds.ts';
import { recordTrace } from './record-trace.ts';
import { CASES, type SimulatedCase } from './simulated-cases.ts';
import { emptyMachine } from './simulated-machine.ts';

const FOLDER = path.join(import.meta.dirname, 'traces');

const TRACES = [
  ['put', 'plain', 'a put that rides in its commit'],
  ['put-packed', 'plain', 'a put of one pack'],
  ['delete', 'plain', 'a delete'],
  ['commit', 'plain', 'a batch'],
  ['gc', 'plain', 'a collection of garbage'],
  ['create', 'plain', 'a store that is created'],
  ['open', 'plain', 'opening and closing'],
  ['rebuild', 'plain', 'a rebuild'],
  ['repair', 'spread', 'a repair after a lost shard'],
  ['checkpoint', 'plain', 'a checkpoint, and the journal that it shortens'],
  ['put-only', 'sealed', 'a message of a put-only writer'],
  ['adopt', 'sealed', 'an inbox that is adopted'],
  ['key-rotation', 'sealed', 'a rotation of keys'],
] as const;

describe('the order of calls', () => {
  it.each(TRACES)('of %s in a %s store is as it was reviewed', async (name, kindName, title) => {
    const kind = KINDS.find((one) => one.name === kindName) as StoreKind;
    const one = CASES.find((each) => each.title === title) as SimulatedCase;
    const machine = one.begins === 'absent' ? emptyMachine() : await newMachine(kind);
    const trace = await recordTrace(machine, { kind, one });
    machine.databases.close();
    const file = path.join(FOLDER, `${name}.txt`);
    if (process.env.HOLDFAST_WRITE_TRACES === '1') await writeFile(file, trace);
    expect(trace).toBe(await readFile(file, 'utf8'));
  });
});
