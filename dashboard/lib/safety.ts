/** Whether the data is safe, from what the store says of itself. */
import type { PlacementStatus } from '../api/types.ts';
import { countOf } from './format.ts';

/** `bare`: all is there, and nothing stands in for it; `empty`: there is nothing to lose yet. */
export type SafetyLevel = 'protected' | 'degraded' | 'at-risk' | 'bare' | 'empty';

/** Something to do about it; `job` can be started here. */
export interface SafetyStep {
  readonly text: string;
  readonly command?: string;
  readonly job?: { readonly kind: 'repair' | 'verify'; readonly label: string };
}

export interface Safety {
  readonly level: SafetyLevel;
  readonly title: string;
  /** Why, the most important first. */
  readonly reasons: readonly string[];
  readonly steps: readonly SafetyStep[];
}

type Judged = Pick<
  PlacementStatus,
  'redundancy' | 'backends' | 'packs' | 'degraded' | 'weaker' | 'unreadable' | 'survives' | 'warnings'
>;

const TITLES: Readonly<Record<SafetyLevel, string>> = {
  protected: 'Your data is protected',
  degraded: 'Your data is safe, with less in reserve',
  'at-risk': 'Your data is at risk',
  bare: 'Your data is whole, but kept only once',
  empty: 'Ready for your first files',
};

/** Backends that data lies on, or goes to: some hold keys and lists alone. */
export function placesOf<T extends Judged['backends'][number]>(backends: readonly T[]): readonly T[] {
  const holding = backends.filter(({ weight, shards }) => weight > 0 || shards > 0);
  return holding.length > 0 ? holding : backends;
}

function levelOf({ packs, unreadable, survives, redundancy, degraded, backends, weaker }: Judged): SafetyLevel {
  if (packs === 0) return 'empty';
  const isParity = redundancy !== 'none';
  if (unreadable > 0 || survives.backends.lossesMax < 0) return 'at-risk';
  if (survives.backends.lossesMax === 0) return isParity && placesOf(backends).length > 1 ? 'at-risk' : 'bare';
  const isHurt = degraded > 0 || weaker > 0 || backends.some(({ health }) => health.state === 'down');
  return isHurt ? 'degraded' : 'protected';
}

/** What may fail, in words. */
export function describeLosses({ backends, survives }: Pick<Judged, 'backends' | 'survives'>): string {
  const { lossesMax } = survives.backends;
  const { length: places } = placesOf(backends);
  if (lossesMax < 0) return 'Some of it cannot be read as things are.';
  if (lossesMax === 0)
    return places === 1
      ? 'It lies in one place: if that fails, it is gone.'
      : 'The loss of one more storage place would lose data.';
  if (lossesMax >= places) return 'Nothing would be lost, whatever fails.';
  const which = lossesMax === 1 ? 'Any one' : `Any ${lossesMax}`;
  return `${which} of your ${places} storage places can fail${lossesMax === 1 ? '' : ' at once'}, and nothing is lost.`;
}

function reasonsOf(status: Judged, level: SafetyLevel): readonly string[] {
  const { backends, degraded, weaker, unreadable } = status;
  if (level === 'empty') return ['Whatever you store is checked each time it is read.'];
  const down = backends.filter(({ health }) => health.state === 'down').map(({ name }) => name);
  return [
    ...(unreadable > 0 ? [`${countOf(unreadable, 'pack')} of data cannot be read now.`] : []),
    describeLosses(status),
    ...(down.length > 0 ? [`Not reachable: ${down.join(', ')}.`] : []),
    ...(degraded > 0
      ? [`${countOf(degraded, 'pack')} of data lack a piece, which can be made anew from the others.`]
      : []),
    ...(weaker > 0 ? [`${countOf(weaker, 'pack')} of data have less protection than new data gets.`] : []),
  ];
}

function stepsOf({ backends, degraded, weaker, warnings }: Judged, level: SafetyLevel): readonly SafetyStep[] {
  const down = backends.filter(({ health }) => health.state === 'down');
  const isAlone = level === 'bare' && placesOf(backends).length === 1;
  return [
    ...down.map(({ name }) => ({
      text: `Bring ${name} back. If it is lost for good, put an empty one in its place:`,
      command: `holdfast backend replace ${name} FOLDER`,
    })),
    ...(degraded > 0
      ? [{ text: 'Make the missing pieces anew.', job: { kind: 'repair', label: 'Repair now' } as const }]
      : []),
    ...(weaker > 0
      ? [{ text: 'Give older data the protection of today:', command: 'holdfast backend rebalance' }]
      : []),
    ...(isAlone || warnings.length > 0
      ? [
          {
            text: 'Add storage places on other disks or machines:',
            command: 'holdfast backend add FOLDER --domain NAME',
          },
        ]
      : []),
  ];
}

/** What a status means for whoever has data there. */
export function judge(status: Judged): Safety {
  const level = levelOf(status);
  return { level, title: TITLES[level], reasons: reasonsOf(status, level), steps: stepsOf(status, level) };
}
