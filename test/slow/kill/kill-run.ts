/** Kills, store after store, the kinds of stores in turn. It goes on where it was ended. */
import path from 'node:path';
import { CampaignState } from '../campaign-state.ts';
import { KILL_KINDS } from './aims.ts';
import { noKillFigures, runKillSeries } from './kill-rounds.ts';

export interface KillRunOptions {
  readonly kills: number;
  readonly seed: number;
  /** Default: every kind. */
  readonly kind?: string | undefined;
  /** Kill again what was killed before. */
  readonly again: boolean;
  /** Where the stores are made, and where it is kept how far the run is. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

const KILLS_PER_STORE = 25;
const ROUND = { large: true, patienceMs: 4000 };
/** Processes of a round, by turns. */
const WORKERS = [1, 2, 4];

/** @throws when a store lost something; the message names the seed of its series */
export async function runKills(options: KillRunOptions): Promise<void> {
  const { kills, seed, kind: only, folder, say } = options;
  const kinds = KILL_KINDS.filter(({ name }) => only === undefined || name === only);
  if (kinds.length === 0)
    throw new Error(`there is no kind ${only}; there are ${KILL_KINDS.map(({ name }) => name).join(', ')}`);
  const state = await CampaignState.open(path.join(folder, 'kill.json'), options);
  const target = only ?? 'every kind';
  const figures = noKillFigures();
  const stores = Math.ceil(kills / KILLS_PER_STORE);
  for (let number = state.nextOf(target); number < stores; number += 1) {
    const kind = kinds[number % kinds.length] as (typeof kinds)[number];
    const some = {
      kind,
      kills: KILLS_PER_STORE,
      seed: seed * 1_000_003 + number,
      folder,
      workers: WORKERS[Math.floor(number / kinds.length) % WORKERS.length] as number,
      ...ROUND,
    };
    const found = await runKillSeries(some);
    for (const name of Object.keys(figures) as (keyof typeof figures)[]) figures[name] += found[name];
    await state.save(target, number + 1);
    say(
      `store ${number + 1} of ${stores}, ${kind.name}: ${figures.kills} killed, ${figures.acknowledged} acknowledged`,
    );
  }
  for (const [name, value] of Object.entries(figures)) say(`${name.padEnd(18)} ${value}`);
}
