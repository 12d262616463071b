import { describe, expect, it } from 'vitest';
import type { BackendFacts } from '../../placement/backend-link.ts';
import { placementWarnings } from './placement-warnings.ts';

function backends(...domains: readonly string[]): { facts: BackendFacts }[] {
  return domains.map((domain, at) => ({
    facts: { number: at + 1, name: `disk${at + 1}`, domain, weight: 1, mode: 'active' },
  }));
}

const warningsOf = (links: { facts: BackendFacts }[], map: readonly number[] = []): readonly string[] =>
  placementWarnings({ links, map }, { k: 3, m: 2 });

describe('the warnings of a placement', () => {
  it('are none where every shard can lie in a domain of its own, or nothing is to be borne', () => {
    expect(warningsOf(backends('a', 'b', 'c', 'd', 'e'))).toEqual([]);
    expect(placementWarnings({ links: backends('a'), map: [] }, { k: 1, m: 0 })).toEqual([]);
  });

  it('name how many losses are borne where shards lie together', () => {
    expect(warningsOf(backends('a', 'b', 'c', 'd'))).toEqual([
      '3+2 makes 5 shards for 4 failure domains: up to 2 lie together in one, so only 1 may be lost, not 2',
    ]);
    expect(warningsOf(backends('a', 'a', 'a', 'a', 'a'))).toEqual([
      '3+2 makes 5 shards for 1 failure domain: up to 5 lie together in one, so the loss of a single one may be fatal',
    ]);
  });

  it('go by the map where there is one', () => {
    const links = backends('a', 'b', 'c', 'd', 'e');
    expect(warningsOf(links, [1, 2, 3, 4, 5])).toEqual([]);
    expect(warningsOf(links, [1, 2])[0]).toContain('5 shards for 2 failure domains: up to 3');
  });

  it('tell when no backend takes shards', () => {
    const [link] = backends('a') as [{ facts: BackendFacts }];
    const idle = [{ facts: { ...link.facts, weight: 0 } }, { facts: { ...link.facts, mode: 'draining' as const } }];
    expect(warningsOf(idle)).toEqual([expect.stringContaining('no backend takes shards')]);
  });
});
