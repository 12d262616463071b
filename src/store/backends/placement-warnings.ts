import type { Redundancy } from '../../erasure/index.ts';
import type { BackendFacts } from '../../placement/backend-link.ts';

/** Where shards go: the backends, and the numbers of those they go to by their index. */
interface Placement {
  readonly links: readonly { readonly facts: BackendFacts }[];
  readonly map: readonly number[];
}

/** What the backends cannot give that a redundancy promises: told when it is chosen, and whenever one looks. */
export function placementWarnings({ links, map }: Placement, { k, m }: Redundancy): readonly string[] {
  // By what the config says: a store that is only read has the placement that it has when it is written.
  const takers = links.filter(({ facts }) => facts.mode === 'active' && facts.weight > 0);
  if (takers.length === 0)
    return ['no backend takes shards: nothing can be stored until one is active and has a weight'];
  const held = shardsByDomain(takers, { map, shards: k + m });
  const most = held[0] ?? 0;
  if (m === 0 || most <= 1) return [];
  const bears = domainsToLose(held, m);
  const told = bears === 0 ? 'the loss of a single one may be fatal' : `only ${bears} may be lost, not ${m}`;
  const domains = held.length === 1 ? '1 failure domain' : `${held.length} failure domains`;
  return [`${k}+${m} makes ${k + m} shards for ${domains}: up to ${most} lie together in one, so ${told}`];
}

/** How many shards of a stripe domains hold, most first: as a map says, or else as evenly as can be. */
function shardsByDomain(
  takers: Placement['links'],
  { map, shards }: { readonly map: readonly number[]; readonly shards: number },
): readonly number[] {
  const domains = new Set(takers.map(({ facts }) => facts.domain));
  const mapped = map.flatMap((number) => takers.find(({ facts }) => facts.number === number)?.facts.domain ?? []);
  const order = mapped.length > 0 ? mapped : [...domains];
  const held = new Map<string, number>();
  for (let index = 0; index < shards; index += 1) {
    const domain = order[index % order.length] as string;
    held.set(domain, (held.get(domain) ?? 0) + 1);
  }
  return [...held.values()].toSorted((a, b) => b - a);
}

/** How many domains may be lost, whichever they are, with so many shards to spare. */
function domainsToLose(held: readonly number[], spare: number): number {
  let lost = 0;
  const fatal = held.findIndex((count) => {
    lost += count;
    return lost > spare;
  });
  return fatal < 0 ? held.length : fatal;
}
