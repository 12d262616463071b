import { describe, expect, it } from 'vitest';
import { judge, type SafetyLevel } from './safety.ts';

type Status = Parameters<typeof judge>[0];

function backend(name: string, state: 'up' | 'down' = 'up', weight = 1): Status['backends'][number] {
  const health = { state, calls: 0, failures: 0 };
  return {
    number: 1,
    name,
    url: '',
    domain: name,
    weight,
    mode: 'active',
    home: false,
    health,
    shards: 0,
    shardBytes: 0,
  };
}

const FIVE = ['a', 'b', 'c', 'd', 'e'].map((name) => backend(name));

function status(change: Partial<Status> & { losses?: number } = {}): Status {
  const { losses = 2, ...rest } = change;
  const survived = { lossesMax: losses, fatal: [] };
  return {
    ...{ redundancy: '3+2', backends: FIVE, packs: 10, degraded: 0, weaker: 0, unreadable: 0, warnings: [] },
    survives: { backends: survived, domains: survived },
    ...rest,
  };
}

describe('whether the data is safe', () => {
  it.each<[string, Status, SafetyLevel]>([
    ['all is well', status(), 'protected'],
    ['there is nothing', status({ packs: 0, losses: 5 }), 'empty'],
    ['a backend is away', status({ backends: [backend('a', 'down'), ...FIVE.slice(1)], losses: 1 }), 'degraded'],
    ['pieces are missing', status({ degraded: 3, losses: 1 }), 'degraded'],
    ['older data has less', status({ weaker: 3, losses: 1 }), 'degraded'],
    ['one more loss is too much', status({ degraded: 3, losses: 0 }), 'at-risk'],
    ['packs cannot be read', status({ unreadable: 1, losses: -1 }), 'at-risk'],
    ['there is one copy', status({ redundancy: 'none', backends: [backend('main')], losses: 0 }), 'bare'],
  ])('is judged where %s', (_, given, level) => {
    expect(judge(given).level).toBe(level);
  });

  it('comes with what can be done, and a button where one helps', () => {
    const { steps, reasons } = judge(
      status({ backends: [backend('a', 'down'), ...FIVE.slice(1)], degraded: 3, losses: 1 }),
    );
    expect(steps.map(({ command, job }) => job?.kind ?? command)).toEqual([
      'holdfast backend replace a FOLDER',
      'repair',
    ]);
    expect(reasons).toEqual([
      'Any one of your 5 storage places can fail, and nothing is lost.',
      'Not reachable: a.',
      '3 packs of data lack a piece, which can be made anew from the others.',
    ]);
  });

  it('counts the places that data lies on', () => {
    const [first] = judge(status({ backends: [...FIVE, backend('keys', 'up', 0)] })).reasons;
    expect(first).toBe('Any 2 of your 5 storage places can fail at once, and nothing is lost.');
    expect(judge(status({ redundancy: 'none', backends: [backend('main')], losses: 0 })).steps).toHaveLength(1);
  });
});
