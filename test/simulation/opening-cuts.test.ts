import { expect, it } from 'vitest';
import { createAt, openAt } from '../../src/store/open.ts';
import type { Survival } from '../../src/testing/index.ts';
import { createOptions, KINDS, openOptions, type StoreKind } from './kinds.ts';
import { emptyMachine, placeOn, type SimulatedMachine } from './simulated-machine.ts';

const PLAIN = KINDS.find(({ name }) => name === 'plain') as StoreKind;
const NOTHING_UNFLUSHED: Survival = { name: () => 0, content: () => ({ kept: 'none' }) };

/** The creation of a store whose process ended before a call, when all that it did before can be seen. */
async function createUntil(before: string): Promise<SimulatedMachine> {
  const machine = emptyMachine();
  const { place, process } = placeOn(machine, { seed: 1 });
  process.onChange = async (call, path) => {
    if (`${call} ${path}` === before) process.end();
  };
  await process.outcome(createAt(place, createOptions(PLAIN)));
  return machine;
}

/** @returns whether the process got to the end of a put */
async function putAndEnd(machine: SimulatedMachine, changes: number): Promise<boolean> {
  const { place, process } = placeOn(machine, { seed: 2 });
  process.endAfter(changes);
  const outcome = await process.outcome(openAt(place, openOptions(PLAIN)).then((store) => store.put('first', 'x')));
  process.end();
  return outcome === 'done';
}

it.each([
  ['content', 'sync /store/.metadata/store.sqlite'],
  ['name', 'syncDirectory /store/.metadata'],
])('metadata whose %s its maker did not flush is there when the power is cut at any call of the next process', async (_, call) => {
  for (let changes = 0, isDone = false; !isDone; changes += 1) {
    const machine = await createUntil(call);
    isDone = await putAndEnd(machine, changes);
    const left = { ...machine, disk: machine.disk.survivor(NOTHING_UNFLUSHED) };
    const { place } = placeOn(left, { seed: 3 });
    const store = await openAt(place, openOptions(PLAIN));
    expect((await store.maintenance.check()).outcome, `ended after ${changes} calls`).toBe('ok');
    if (isDone) expect(await store.has('first')).toBe(true);
    await store.close();
    machine.databases.close();
  }
});
