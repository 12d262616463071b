import type { LossStatus, PlacementStatus } from '../../../index.ts';
import { formatFields } from '../../text/fields.ts';
import { countOf, escapeControls, formatCount } from '../../text/format-text.ts';
import { describeHoldings } from './describe-backends.ts';

const FATAL_SHOWN_MAX = 3;

function describePacks({ packs, redundancy, degraded, weaker, unreadable }: PlacementStatus): string {
  const odd = [
    ...(degraded > 0 ? [`${formatCount(degraded)} lack a shard`] : []),
    ...(weaker > 0 ? [`${formatCount(weaker)} have less redundancy than that`] : []),
    ...(unreadable > 0 ? [`${formatCount(unreadable)} CANNOT BE READ NOW`] : []),
  ];
  const counted = `${countOf(packs, 'pack', 'packs')}, written with ${redundancy}`;
  return odd.length > 0 ? `${counted}; ${odd.join(', ')}` : counted;
}

function describeFatal({ fatal }: LossStatus): readonly string[] {
  const shown = fatal.slice(0, FATAL_SHOWN_MAX);
  const rest = fatal.length - shown.length;
  return [
    ...shown.map(({ lost, packs }) => `${lost.join(' + ')} (${countOf(packs, 'pack', 'packs')})`),
    ...(rest > 0 ? ['...'] : []),
  ];
}

/** What may be lost, and the smallest losses that are too much. */
function describeLosses(status: LossStatus, [one, many]: readonly [one: string, many: string]): string {
  const { lossesMax } = status;
  const fatal = describeFatal(status);
  if (lossesMax < 0) return `nothing: some packs cannot be read as it is`;
  if (fatal.length === 0) return 'everything: no pack would be lost';
  const tooMuch = `too much: ${fatal.join(', ')}`;
  if (lossesMax === 0) return `no loss of a ${one}; ${tooMuch}`;
  return `the loss of any ${lossesMax === 1 ? one : `${lossesMax} ${many}`}; ${tooMuch}`;
}

/** What to do next about what a status tells, the most urgent first. */
export function nextSteps({ backends, degraded, weaker, warnings }: PlacementStatus): readonly string[] {
  const down = backends.filter(({ health }) => health.state === 'down');
  const draining = backends.filter(({ mode }) => mode === 'draining');
  return [
    ...down.map(
      ({ name }) =>
        `bring ${name} back, or tell where it has moved to: holdfast backend set ${name} --location FOLDER; ` +
        `if it is lost: holdfast backend replace ${name} FOLDER, then holdfast repair`,
    ),
    ...(degraded > 0 ? ['holdfast repair makes the shards that are missing anew'] : []),
    ...(weaker > 0 ? ['holdfast backend rebalance gives older packs the redundancy of today'] : []),
    ...draining.map(({ name, shards }) =>
      shards > 0
        ? `holdfast backend drain ${name} goes on to empty it`
        : `${name} is empty: holdfast backend remove ${name}`,
    ),
    ...(warnings.length > 0 ? ['holdfast backend add FOLDER --domain NAME keeps more shards apart'] : []),
  ];
}

/** How the packs of a store lie, what that bears, and what to do about it. */
export function describePlacement(status: PlacementStatus): string {
  const { backends, map, survives, warnings } = status;
  const facts = formatFields([
    ['packs', describePacks(status)],
    ['order', map.length > 0 ? `shards go to ${map.join(', ')} by their number` : undefined],
    ['survives', describeLosses(survives.backends, ['backend', 'backends'])],
    ['', describeLosses(survives.domains, ['failure domain', 'failure domains'])],
  ]);
  const lines = [describeHoldings(backends), '', facts];
  lines.push(...warnings.map((warning) => `warning   ${escapeControls(warning)}`));
  lines.push(...nextSteps(status).map((step) => `next      ${step}`));
  return lines.join('\n');
}
