/** Flipped bits, round after round of each part of the campaign. It goes on where it was ended. */
import path from 'node:path';
import { FlipCampaign, type FlipPart } from '../../support/flip-campaign.ts';
import type { FlipFigures } from '../../support/flips.ts';
import { CampaignState } from '../campaign-state.ts';

export interface FlipRunOptions {
  readonly flips: number;
  readonly seed: number;
  /** Run again what was run before. */
  readonly again: boolean;
  /** Where the stores are made, and where it is kept how far the run is. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** Flips between two notes of how far the run is: of a part its share of so many. */
const ROUND_FLIPS = 50_000;

/** Flips so many bits of the files of sample stores. @throws at the first that gives wrong bytes, or that nobody notices */
export async function runFlips(options: FlipRunOptions): Promise<void> {
  const { flips, say } = options;
  const state = await CampaignState.open(path.join(options.folder, 'flips.json'), options);
  const campaign = await FlipCampaign.open(path.join(options.folder, 'flips'));
  try {
    for (const part of campaign.parts) {
      const done = state.nextOf(part.name);
      const count = Math.ceil((flips * part.perMille) / 1000);
      const figures = await runPart(part, { ...options, state, count });
      say(`${part.name}: ${count} flips, ${Math.max(0, count - done)} of them now`);
      for (const [what, number] of [...figures].sort()) say(`${String(number).padStart(9)}  ${what}`);
    }
  } finally {
    await campaign.close();
  }
}

/** @returns figures of what was flipped now */
async function runPart(
  { name, perMille, flip }: FlipPart,
  { state, seed, count }: { readonly state: CampaignState; readonly seed: number; readonly count: number },
): Promise<FlipFigures> {
  const figures: FlipFigures = new Map();
  const roundFlips = Math.ceil((ROUND_FLIPS * perMille) / 1000);
  for (let done = state.nextOf(name); done < count; ) {
    const next = Math.min(count, done + roundFlips);
    // Each round has a seed of its own, wherever the run was ended before.
    for (const [what, number] of await flip({ count: next - done, seed: seed * 1_000_003 + done })) {
      figures.set(what, (figures.get(what) ?? 0) + number);
    }
    done = next;
    await state.save(name, done);
  }
  return figures;
}
