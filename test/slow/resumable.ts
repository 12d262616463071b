/** A campaign of numbered cases, one after the other, that goes on where it was ended. */
import { performance } from 'node:perf_hooks';
import { CampaignState } from './campaign-state.ts';

/** How a campaign is asked for. */
export interface CampaignOptions {
  /** Cases in all. */
  readonly count: number;
  readonly seed: number;
  /** One case alone, which a failure named. */
  readonly only?: number | undefined;
  /** Run again what was run before. */
  readonly again: boolean;
  readonly stateFile: string;
  readonly say: (line: string) => void;
}

/** What a campaign does. */
export interface CampaignWork {
  /** Of what there are so many, for people and for the file of the state. */
  readonly name: string;
  /** Cases that are run, and saved, together. */
  readonly savedAfter: number;
  /** Runs the cases from `start` up to `end`. */
  run(start: number, end: number): Promise<void>;
  /** What it came to so far. */
  figures(): string;
}

const SAY_EVERY_MS = 20_000;

/** @throws what a case throws, which must say how to see it again */
export async function runCampaign(options: CampaignOptions, work: CampaignWork): Promise<void> {
  const { count, only, say } = options;
  if (only !== undefined) {
    await work.run(only, only + 1);
    return say(`${work.name} ${only}: ${work.figures()}`);
  }
  const state = await CampaignState.open(options.stateFile, options);
  const first = state.nextOf(work.name);
  if (first > 0) say(`${work.name} up to ${first} were run before`);
  const began = performance.now();
  let said = began;
  for (let start = first; start < count; start += work.savedAfter) {
    const end = Math.min(count, start + work.savedAfter);
    await work.run(start, end);
    await state.save(work.name, end);
    const now = performance.now();
    if (end < count && now - said < SAY_EVERY_MS) continue;
    said = now;
    say(`${work.name} ${end} of ${count}, ${((now - began) / 1000).toFixed(0)} s: ${work.figures()}`);
  }
}
