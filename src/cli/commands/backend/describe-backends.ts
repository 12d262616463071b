import type { BackendInfo, BackendStatus } from '../../../index.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { escapeControls, formatCount } from '../../text/format-text.ts';
import { formatTable } from '../../text/table.ts';

const NOT_KNOWN = '-';

/** Whether it can be reached, and what else is unusual about it. */
function stateOf({ health, mode, home }: BackendInfo): string {
  const unusual = [...(mode === 'active' ? [] : [mode]), ...(home ? ['home'] : [])];
  return [health.state === 'up' ? 'up' : 'DOWN', ...unusual].join(', ');
}

/** Where it is, for people: the folder of a `file:` URL. */
function placeOf({ url }: BackendInfo): string {
  if (url === '') return 'passed by the program';
  return escapeControls(url.startsWith('file://') ? decodeURI(url.slice('file://'.length)) : url);
}

/** One backend in one line. */
export function describeBackend(info: BackendInfo): string {
  const { name, domain, weight, mode } = info;
  const unusual = mode === 'active' ? '' : `, ${mode}`;
  return `${name} (domain ${domain}, weight ${weight}${unusual}) in ${placeOf(info)}`;
}

/** The backends of a store as a table. */
export function describeBackends(backends: readonly BackendInfo[]): string {
  const rows = backends.map((info) => [info.name, stateOf(info), info.domain, `${info.weight}`, placeOf(info)]);
  return formatTable(['NAME', 'STATE', 'DOMAIN', 'WEIGHT', 'PLACE'], rows);
}

function answerOf({ health: { lastMs } }: BackendInfo): string {
  return lastMs === undefined ? NOT_KNOWN : `${lastMs.toFixed(1)} ms`;
}

/** The backends of a store with what they hold, and why those are down that are. */
export function describeHoldings(backends: readonly BackendStatus[]): string {
  const rows = backends.map((info) => [
    info.name,
    stateOf(info),
    info.domain,
    `${info.weight}`,
    formatCount(info.shards),
    formatBytes(info.shardBytes),
    info.freeBytes === undefined ? NOT_KNOWN : formatBytes(info.freeBytes),
    answerOf(info),
  ]);
  const table = formatTable(['NAME', 'STATE', 'DOMAIN', 'WEIGHT', 'SHARDS', 'HELD', 'FREE', 'ANSWERS IN'], rows);
  const down = backends.filter(({ health }) => health.state === 'down');
  const why = down.map(({ name, health }) => `${name} is down: ${escapeControls(health.lastError ?? 'not known why')}`);
  return [table, ...why].join('\n');
}
