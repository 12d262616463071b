/**
 * Sequences of commands: one for each number, which follows from a seed. The commands are those of a walk on which every
 * ordered pair has its turn; what is done with them is drawn by fast-check, which also makes what fails shorter.
 */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { isStoreError } from '../../src/index.ts';
import { type SeededRandom, seededRandom } from '../../src/testing/index.ts';
import type { Command } from './command.ts';
import { compareStore } from './compare-store.ts';
import { ENTRY_COMMANDS } from './entry-commands.ts';
import { FAULT_COMMANDS } from './fault-commands.ts';
import { LIFE_COMMANDS } from './life-commands.ts';
import { OBJECT_COMMANDS } from './object-commands.ts';
import { KINDS, type Kind, StoreWorld, type World } from './store-world.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  ...ENTRY_COMMANDS,
  ...OBJECT_COMMANDS,
  ...LIFE_COMMANDS,
  ...FAULT_COMMANDS,
};

/** One command with what it is done to: plain data. */
export interface Step {
  readonly do: string;
  readonly args: unknown;
}

/** What is done to a store of a kind that is empty, or has something of everything in it. */
export interface Sequence {
  readonly kind: Kind;
  readonly furnished: boolean;
  readonly steps: readonly Step[];
}

/** Commands of the walk that one sequence takes, and how many others come before. */
const WALKED = 8;
const OTHERS_MAX = 2;
/** One sequence in so many begins with an empty store. */
const EMPTY_ODDS = 4;
/** Drawn as good as always; what fails is tried without. */
const ALWAYS = 2 ** 30;

const namesOf = (kind: Kind): readonly string[] =>
  Object.keys(COMMANDS).filter((name) => COMMANDS[name]?.kinds?.includes(kind) ?? true);

/** Every ordered pair of commands that some kind of store has. */
export const ALL_PAIRS: ReadonlySet<string> = new Set(
  KINDS.flatMap((kind) => namesOf(kind).flatMap((first) => namesOf(kind).map((second) => pairOf(first, second)))),
);

function pairOf(first: string, second: string): string {
  return `${first}, ${second}`;
}

/**
 * A round trip on which every ordered pair of commands occurs once: a de Bruijn sequence of order 2, which is all Lyndon
 * words of one or two letters in their order. Each round has another alphabet.
 */
function walkOf(kind: Kind, random: SeededRandom): readonly string[] {
  const letters = namesOf(kind)
    .map((name) => ({ name, at: random.next() }))
    .sort((one, two) => one.at - two.at)
    .map(({ name }) => name);
  return letters.flatMap((letter, at) => [letter, ...letters.slice(at + 1).flatMap((later) => [letter, later])]);
}

function stepOf(kind: Kind, name: string): fc.Arbitrary<Step> {
  return commandOf(name)
    .args(kind)
    .map((args) => ({ do: name, args }));
}

function commandOf(name: string): Command {
  const found = COMMANDS[name];
  if (found === undefined) throw new Error(`there is no command ${name}`);
  return found;
}

/** The sequences of one number, which differ in the arguments of their commands. */
function sequencesOf(seed: number, number: number): fc.Arbitrary<Sequence> {
  const [kind, index] = [KINDS[number % KINDS.length] as Kind, Math.floor(number / KINDS.length)];
  const windows = Math.ceil(namesOf(kind).length ** 2 / (WALKED - 1));
  const [round, window] = [Math.floor(index / windows), index % windows];
  const walk = walkOf(kind, seededRandom(seed + round));
  const walked = Array.from({ length: WALKED }, (_, at) => walk[(window * (WALKED - 1) + at) % walk.length] as string);
  const others = fc.array(fc.oneof(...namesOf(kind).map((name) => stepOf(kind, name))), { maxLength: OTHERS_MAX });
  const steps = walked.map((name) => fc.option(stepOf(kind, name), { freq: ALWAYS, nil: undefined }));
  return fc.tuple(others, ...steps).map(([before, ...then]) => ({
    ...{ kind, furnished: (index + round) % EMPTY_ODDS !== 0 },
    steps: [...before, ...then.filter((step) => step !== undefined)],
  }));
}

/** What a furnished store was made by. */
const FURNITURE: readonly Step[] = [
  { do: 'policy', args: { space: 'default', policy: { last: 2 } } },
  { do: 'put', args: { space: 'default', change: { type: 'put', key: 'a', label: '[300,1,false,false,""]' } } },
  { do: 'put', args: { space: 'default', change: { type: 'put', key: 'b', label: '[3000,2,true,false,"n"]' } } },
  { do: 'put', args: { space: 'default', change: { type: 'put', key: 'b', label: '[4097,2,true,false,""]' } } },
  { do: 'relate', args: { space: 'default', change: { type: 'relate', child: 'b', parent: 'a' } } },
  { do: 'put object', args: { space: 'default', type: 'blob', number: 0 } },
  { do: 'set ref', args: { space: 'default', name: 'main', object: 0, expected: undefined } },
  { do: 'snapshot', args: { space: 'default', named: true } },
  // With another one a collection lets the journal before this go.
  { do: 'checkpoint', args: undefined },
];
const SEALED_FURNITURE: readonly Step[] = [
  { do: 'create namespace', args: { name: 'x', quotaBytes: undefined } },
  { do: 'put', args: { space: 'x', change: { type: 'put', key: 'a', label: '[300,1,false,false,""]' } } },
  { do: 'put', args: { space: 'x', change: { type: 'put', key: 'c', label: '[1,2,true,true,""]' } } },
];

const worlds = new Map<string, Promise<World>>();

function worldOf({ kind, furnished }: Pick<Sequence, 'kind' | 'furnished'>): Promise<World> {
  const name = `${kind} ${furnished}`;
  const made = worlds.get(name) ?? makeWorld(kind, furnished);
  worlds.set(name, made);
  return made;
}

async function makeWorld(kind: Kind, furnished: boolean): Promise<World> {
  const world = await StoreWorld.create(kind);
  const steps = [...FURNITURE, ...(kind === 'sealed' ? SEALED_FURNITURE : [])];
  for (const step of furnished ? steps : []) await runStep(world, step);
  await world.end();
  return await world.save();
}

/** @returns whether there was something to do it to */
async function runStep(world: StoreWorld, step: Step): Promise<boolean> {
  const [command, { model }] = [commandOf(step.do), world];
  if (command.ready && !command.ready(model, step.args)) return false;
  let [outcome, result]: [string, unknown] = ['ok', undefined];
  try {
    result = await command.run(world, step.args);
  } catch (error) {
    if (!isStoreError(error)) throw error;
    outcome = error.code;
  }
  assert.equal(outcome, command.effect(model, step.args, result), `how '${step.do}' ends`);
  return true;
}

/**
 * Does all steps to a store, compares it with its model, and what a rebuild makes of it with what it is.
 * @param onPair told of every two commands that were done one after the other
 */
export async function runSequence(sequence: Sequence, onPair?: (pair: string) => void): Promise<void> {
  const world = await StoreWorld.from(await worldOf(sequence));
  try {
    let before: string | undefined;
    for (const step of sequence.steps) {
      if (!(await runStep(world, step))) continue;
      if (before !== undefined) onPair?.(pairOf(before, step.do));
      before = step.do;
    }
    await compareStore(world);
    assert.deepEqual(await world.rebuild(), [], 'what differs after a rebuild');
  } finally {
    await world.end().catch(() => undefined);
  }
}

export interface RunOptions {
  readonly seed: number;
  /** Numbers of the first sequence and of the one after the last. */
  readonly start: number;
  readonly end: number;
  readonly onPair?: (pair: string) => void;
}

/** @throws for the first sequence that fails, made as short as it gets, with its seed and number */
export async function runSequences({ seed, start, end, onPair }: RunOptions): Promise<void> {
  for (let number = start; number < end; number += 1) {
    const property = fc.asyncProperty(sequencesOf(seed, number), (sequence) => runSequence(sequence, onPair));
    const details = await fc.check(property, { seed: seed + number, numRuns: 1 });
    if (!details.failed) continue;
    const told = JSON.stringify(details.counterexample?.[0]);
    throw new Error(`sequence ${number} of seed ${seed}: ${told}`, { cause: details.errorInstance });
  }
}

const TRIES_MAX = 20;

/**
 * Has its turn with every pair that a walk has left out, because there was nothing to do the second one to.
 * @throws as `runSequences`; for a pair that cannot be seen
 */
export async function runPairs(pairs: Iterable<string>, seed: number): Promise<void> {
  for (const pair of pairs) {
    const names = pair.split(', ');
    const kind = KINDS.find((one) => names.every((name) => namesOf(one).includes(name)));
    assert.ok(kind, `some store has ${pair}`);
    const steps = fc.tuple(...names.map((name) => stepOf(kind, name)));
    let isSeen = false;
    for (const drawn of fc.sample(steps, { seed, numRuns: TRIES_MAX })) {
      if (!isSeen) await runSequence({ kind, furnished: true, steps: drawn }, () => (isSeen = true));
    }
    assert.ok(isSeen, `${pair} is seen`);
  }
}
