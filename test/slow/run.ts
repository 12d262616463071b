/**
 * `npm run test:slow -- <tier>`: tests that take minutes. Each prints its seed and its figures and ends with a status
 * other than 0 at the first thing that is wrong.
 */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, formatMachine } from '../../bench/harness/machine.ts';
import { runFlips } from './flips/flip-run.ts';
import { runFuzz } from './fuzz/fuzz-run.ts';
import { runHostile } from './hostile/hostile-run.ts';
import { runHttp } from './http/http-run.ts';
import { runKills } from './kill/kill-run.ts';
import { runMemory } from './memory/memory-run.ts';
import { runModel } from './model/model-run.ts';
import { runMutants } from './mutants/mutants-run.ts';
import { runNodes } from './nodes/nodes-run.ts';
import { runPlanted } from './planted/planted-run.ts';
import { runPoints } from './points/points-run.ts';
import { runPower } from './power/power-run.ts';
import type { CampaignOptions } from './resumable.ts';
import { runSimulation } from './simulation-run.ts';

const HELP = `npm run test:slow -- kill   [--kills 5000] [--kind <name>] [--seed 1] [--again] [--folder <path>]
npm run test:slow -- model  [--sequences 500000] [--seed 1] [--case <number>] [--again] [--folder <path>]
npm run test:slow -- nodes  [--rounds 20] [--seed 1] [--case <round>] [--again] [--folder <path>]
npm run test:slow -- hostile [--rounds 20] [--seed 1] [--case <round>] [--again] [--folder <path>]
npm run test:slow -- http   [--rounds 20] [--seed 1] [--case <round>] [--again] [--folder <path>]
npm run test:slow -- points
npm run test:slow -- memory [--gib 4] [--sealed] [--folder <path>]
npm run test:slow -- flips  [--flips 1000000] [--seed 1] [--again] [--folder <path>]
npm run test:slow -- cuts   [--states 2000000] [--seed 1] [--case <round>] [--again] [--folder <path>]
npm run test:slow -- faults [--faults 500000] [--seed 1] [--case <round>] [--again] [--folder <path>]
npm run test:slow -- power  [--cuts 400] [--seed 1] [--again] [--folder <path>]
npm run test:slow -- mutants [--part <name>] [--file <path>] [--folder <path>]
npm run test:slow -- planted [--bug <name>] [--folder <path>]
npm run test:slow -- fuzz   [--cases 200000] [--target <name>] [--seed 1] [--case <number>] [--again] [--folder <path>]
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '5000' },
    kind: { type: 'string' },
    cuts: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    flips: { type: 'string', default: '1000000' },
    sequences: { type: 'string', default: '500000' },
    states: { type: 'string', default: '2000000' },
    faults: { type: 'string', default: '500000' },
    cases: { type: 'string', default: '200000' },
    target: { type: 'string' },
    bug: { type: 'string' },
    part: { type: 'string' },
    file: { type: 'string' },
    case: { type: 'string' },
    again: { type: 'boolean', default: false },
    sealed: { type: 'boolean', default: false },
    gib: { type: 'string', default: '4' },
    folder: { type: 'string', default: path.join(tmpdir(), 'holdfast-slow') },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The one case or sequence that is asked for. */
const ONLY = values.case === undefined ? undefined : Number(values.case);

/** A campaign that goes on where it was ended, announced. */
function campaign(
  name: string,
  what: { readonly count: string; readonly of: string; readonly one: string },
): CampaignOptions {
  const { again, folder } = values;
  const [count, seed] = [Number(what.count), Number(values.seed)];
  const stateFile = path.join(folder, `${name}.json`);
  const much = ONLY === undefined ? `${count} ${what.of}` : `${what.one} ${ONLY}`;
  say(`${name}: ${much}, seed ${seed}, state in ${stateFile}`);
  return { count, seed, only: ONLY, again, stateFile, say };
}

async function model(): Promise<void> {
  await runModel(campaign('model', { count: values.sequences, of: 'sequences', one: 'sequence' }));
}

async function nodes(): Promise<void> {
  await runNodes(campaign('nodes', { count: values.rounds, of: 'rounds', one: 'round' }));
}

async function hostile(): Promise<void> {
  await runHostile(campaign('hostile', { count: values.rounds, of: 'rounds', one: 'round' }));
}

async function http(): Promise<void> {
  await runHttp(campaign('http', { count: values.rounds, of: 'rounds', one: 'round' }));
}

async function points(): Promise<void> {
  say('points: faults, ends and power cuts at every step of every operation, every exchange of rows');
  await runPoints();
}

async function kill(): Promise<void> {
  const { kind, again, folder } = values;
  const [kills, seed] = [Number(values.kills), Number(values.seed)];
  say(`kill: ${kills} processes over stores of ${kind ?? 'every kind'}, seed ${seed}, stores and state in ${folder}`);
  await runKills({ kills, seed, kind, again, folder, say });
}

/** No command may take more, for any size. */
const MEMORY_BYTES_MAX = 256 * 1024 ** 2;

async function memory(): Promise<void> {
  const bytes = Number(values.gib) * 1024 ** 3;
  const { folder, sealed } = values;
  say(
    `memory: ${values.gib} GiB of noise through the command line, a ${sealed ? 'sealed' : 'plain'} store in ${folder}`,
  );
  const figures = await runMemory({ bytes, folder, sealed });
  for (const [name, { seconds, treeBytes, peakBytes }] of Object.entries(figures)) {
    const rate = bytes / 1024 ** 2 / seconds;
    const [tree, peak] = [treeBytes, peakBytes].map((value) => (value / 1024 ** 2).toFixed(0));
    say(
      `${name}: ${seconds.toFixed(1)} s, ${rate.toFixed(0)} MiB/s, peak ${tree} MiB sampled, ${peak} MiB by the kernel`,
    );
    if (Math.max(treeBytes, peakBytes) > MEMORY_BYTES_MAX) throw new Error(`${name} took more than 256 MiB`);
  }
}

async function flips(): Promise<void> {
  const { again, folder } = values;
  const [count, seed] = [Number(values.flips), Number(values.seed)];
  say(`flips: ${count} single bits of sealed, plain and spread stores, seed ${seed}, stores and state in ${folder}`);
  await runFlips({ flips: count, seed, again, folder, say });
}

async function cuts(): Promise<void> {
  await runSimulation('cuts', campaign('cuts', { count: values.states, of: 'states', one: 'round' }));
}

async function faults(): Promise<void> {
  await runSimulation('faults', campaign('faults', { count: values.faults, of: 'faults', one: 'round' }));
}

async function fuzz(): Promise<void> {
  const { target, again, folder } = values;
  const [cases, seed] = [Number(values.cases), Number(values.seed)];
  const stateFile = path.join(folder, 'fuzz.json');
  say(
    `fuzz: ${ONLY === undefined ? `${cases} cases` : `case ${ONLY}`} of ${target ?? 'every target'}, seed ${seed}, state in ${stateFile}`,
  );
  await runFuzz({ cases, seed, target, only: ONLY, again, stateFile, say });
}

async function power(): Promise<void> {
  const { again, folder } = values;
  const [count, seed] = [Number(values.cuts), Number(values.seed)];
  say(`power: ${count} cuts of file systems on loop devices, seed ${seed}, images and state in ${folder}`);
  await runPower({ cuts: count, seed, again, folder, say });
}

async function mutants(): Promise<void> {
  const { part, file, folder } = values;
  say(`mutants: ${file ?? part ?? 'every part'} in a copy of the sources in ${folder}`);
  await runMutants({ part, file, folder, say });
}

async function planted(): Promise<void> {
  const { bug, folder } = values;
  say(`planted: ${bug ?? 'every bug'} in a copy of the sources in ${folder}`);
  await runPlanted({ bug, folder, say });
}

const TIERS: Readonly<Record<string, () => Promise<void>>> = {
  kill,
  model,
  nodes,
  hostile,
  http,
  points,
  memory,
  flips,
  cuts,
  faults,
  fuzz,
  power,
  mutants,
  planted,
};

const tier = TIERS[positionals[0] ?? ''];
if (tier === undefined) {
  process.stderr.write(HELP);
  process.exitCode = 2;
} else {
  say(formatMachine(describeMachine()));
  await tier();
}
