/** Which stores there are whose processes are killed, and when those of a round are. */
import type { SeededRandom } from '../../../src/testing/index.ts';
import type { Aim, KilledWorker } from './killed-run.ts';
import { type KilledStore, LANES } from './protocol.ts';

export interface KillKind extends Pick<KilledStore, 'form' | 'sealed'> {
  readonly name: string;
  /** Whether processes are killed that collect, scrub, repair and rebuild. */
  readonly upkeep: boolean;
}

export const KILL_KINDS: readonly KillKind[] = [
  { name: 'plain', form: 'folder', sealed: false, upkeep: false },
  { name: 'sealed', form: 'folder', sealed: true, upkeep: false },
  { name: 'spread', form: 'spread', sealed: false, upkeep: false },
  { name: 'single-file', form: 'file', sealed: true, upkeep: false },
  { name: 'upkeep-spread', form: 'spread', sealed: false, upkeep: true },
  { name: 'upkeep-sealed', form: 'folder', sealed: true, upkeep: true },
];

/** Of rounds with upkeep one in so many only rebuilds. */
const REBUILD_ODDS = 6;

/** The processes of a round: each lane belongs to one of them. */
export function drawWorkers(random: SeededRandom, kind: KillKind, workers: number): readonly KilledWorker[] {
  if (kind.upkeep && random.integer(REBUILD_ODDS) === 0) {
    return [{ lanes: [], upkeep: 'rebuild', aim: { at: 'begin upkeep', nth: 1, afterMs: random.integer(1500) } }];
  }
  return Array.from({ length: workers }, (_, worker) => {
    const lanes = Array.from({ length: LANES }, (__, lane) => lane).filter((lane) => lane % workers === worker);
    // The last one: the first works in the lane that changes keys.
    if (kind.upkeep && worker === workers - 1) return { lanes, upkeep: 'upkeep', aim: drawUpkeepAim(random) };
    return { lanes, upkeep: 'none', aim: drawAim(random, kind) };
  });
}

/** From 1 to `most`, small ones most often: what a process does first is as good a place as what it does later, and sooner there. */
function early(random: SeededRandom, most: number): number {
  return 1 + random.integer(1 + random.integer(most));
}

function drawUpkeepAim(random: SeededRandom): Aim {
  return { at: 'begin upkeep', nth: early(random, 6), afterMs: random.integer(80) };
}

/**
 * A third at any instant (in a sealed store a sixth), the others at a step of a commit or of a change of keys, right then
 * or up to some milliseconds later.
 */
function drawAim(random: SeededRandom, { sealed, form }: KillKind): Aim {
  const afterMs = random.integer(3) === 0 ? 0 : random.integer(200) / 100;
  // Where blobs announce nothing: nearly all of the time after the begin of an operation is that of a commit.
  if (form !== 'folder') return { at: 'begin', nth: early(random, 30), afterMs: 10 * afterMs };
  switch (random.integer(12)) {
    case 0:
      return { at: 'begin', nth: early(random, 60), afterMs };
    case 1:
    case 2:
    case 3:
      return { at: 'call put journal', nth: early(random, 40), afterMs };
    case 4:
      return { at: 'answer put journal', nth: early(random, 40), afterMs };
    case 5:
      return { at: 'call put packs', nth: early(random, 6), afterMs };
    case 6:
      return { at: 'answer put packs', nth: early(random, 6), afterMs };
    case 7:
      return { at: sealed ? 'call put keys' : 'call delete journal', nth: early(random, 10), afterMs };
    case 8:
      if (sealed) return { at: 'call delete keys', nth: early(random, 6), afterMs };
      break;
    case 9:
      if (sealed) return { at: 'begin keys', nth: early(random, 6), afterMs: random.integer(30) };
      break;
    default:
  }
  return { at: 'ready', nth: 1, afterMs: random.integer(700) };
}
