/** Real power cuts of file systems on loop devices, under processes that write. It goes on where it was ended. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { CampaignState } from '../campaign-state.ts';
import { KILL_KINDS, type KillKind } from '../kill/aims.ts';
import { noKillFigures, runKillSeries } from '../kill/kill-rounds.ts';
import { FILE_SYSTEMS, type FileSystemName, makeDisk, whatIsMissing } from './cuttable-disk.ts';

export interface PowerRunOptions {
  readonly cuts: number;
  readonly seed: number;
  /** Cut again what was cut before. */
  readonly again: boolean;
  /** Where the images are made and mounted, and where it is kept how far the run is. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

const CUTS_PER_STORE = 5;
const ROUND = { workers: 1, large: false, patienceMs: 2000 };

/** @throws when a store lost something; the message names the seed of its series */
export async function runPower(options: PowerRunOptions): Promise<void> {
  const { cuts, seed, say } = options;
  const folder = path.join(options.folder, 'power');
  await mkdir(folder, { recursive: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const state = await CampaignState.open(path.join(options.folder, 'power.json'), options);
  for (const name of FILE_SYSTEMS) {
    const missing = await whatIsMissing(name, folder);
    if (missing !== undefined) {
      say(`${name}: SKIPPED, ${missing}`);
      continue;
    }
    const figures = noKillFigures();
    const stores = Math.ceil(cuts / CUTS_PER_STORE / FILE_SYSTEMS.length);
    for (let number = state.nextOf(name); number < stores; number += 1) {
      const kind = KILL_KINDS[number % KILL_KINDS.length] as KillKind;
      const found = await runSeries(name, { kind, seed: seed * 1_000_003 + number, folder });
      for (const figure of Object.keys(figures) as (keyof typeof figures)[]) figures[figure] += found[figure];
      await state.save(name, number + 1);
      say(`${name}, store ${number + 1} of ${stores}, ${kind.name}: ${figures.kills} cuts`);
    }
    for (const [figure, value] of Object.entries(figures)) say(`${name}: ${figure.padEnd(18)} ${value}`);
  }
}

/** One store on a new file system, whose power is cut again and again. */
async function runSeries(
  name: FileSystemName,
  { kind, seed, folder }: { readonly kind: KillKind; readonly seed: number; readonly folder: string },
): ReturnType<typeof runKillSeries> {
  const disk = await makeDisk(name, folder);
  try {
    return await runKillSeries({ kind, seed, kills: CUTS_PER_STORE, folder: disk.path, disk, ...ROUND });
  } finally {
    await disk.remove();
  }
}
