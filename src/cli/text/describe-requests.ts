import type { StoreRequests } from '../../index.ts';
import { formatBytes } from './format-bytes.ts';
import { countOf, formatCount } from './format-text.ts';

const WORDS: readonly (readonly [call: keyof StoreRequests['backends'][number]['calls'], words: string])[] = [
  ['put', 'put'],
  ['get', 'get'],
  ['getRange', 'get of a range'],
  ['head', 'head'],
  ['list', 'list'],
  ['delete', 'delete'],
  ['space', 'space'],
];

type BackendRequests = StoreRequests['backends'][number];

function describeCalls({ calls }: BackendRequests): string {
  const parts = WORDS.filter(([call]) => calls[call].calls > 0).map(([call, words]) => {
    const { calls: count, bytes, failures } = calls[call];
    const notes = [...(bytes > 0 ? [formatBytes(bytes)] : []), ...(failures > 0 ? [`${failures} failed`] : [])];
    return `${formatCount(count)} ${words}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
  });
  return parts.length > 0 ? parts.join(', ') : 'nothing';
}

function describeService({ service }: BackendRequests): string {
  if (service === undefined) return '';
  const { requests, retries, throttles } = service;
  const named = Object.entries(requests).map(([name, count]) => `${formatCount(count)} ${name}`);
  const again =
    retries + throttles > 0 ? `; ${formatCount(retries)} sent again, ${formatCount(throttles)} throttled` : '';
  return `; sent ${named.join(', ')}${again}`;
}

/** What a handle has asked of backends and of the server of its metadata, as fields. */
export function requestFields({ backends, metadata }: StoreRequests): readonly (readonly [string, string])[] {
  const fields = backends.map((one) => [`asked of ${one.backend}`, describeCalls(one) + describeService(one)] as const);
  if (metadata === undefined) return fields;
  const { statements, roundTrips, connections } = metadata;
  const asked = `${countOf(statements, 'statement', 'statements')} in ${countOf(roundTrips, 'round trip', 'round trips')}`;
  const over = `over ${countOf(connections, 'connection', 'connections')}`;
  return [...fields, ['asked of PostgreSQL', `${asked} ${over}`]];
}
