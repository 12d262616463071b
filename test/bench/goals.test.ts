import { describe, expect, it } from 'vitest';
import { type Goal, goalsReport, isHeld } from '../../bench/goals/goal.ts';

const goal = (bound: Goal['bound'], ...samples: readonly number[]): Goal => ({
  what: 'some',
  bound,
  unit: 'ms',
  samples,
});

describe('isHeld', () => {
  it('judges the median, on the side that the bound says', () => {
    expect(isHeld(goal({ least: 10 }, 10))).toBe(true);
    expect(isHeld(goal({ least: 10 }, 9))).toBe(false);
    expect(isHeld(goal({ most: 10 }, 10))).toBe(true);
    expect(isHeld(goal({ most: 10 }, 11))).toBe(false);
    expect(isHeld(goal({ most: 10 }, 1, 9, 100))).toBe(true);
    expect(isHeld(goal({ least: 10 }, 1, 9, 100))).toBe(false);
  });
});

describe('goalsReport', () => {
  it('says goal, figure, held or not, sizes in megabytes', () => {
    const memory: Goal = { ...goal({ most: 256e6 }, 300e6), unit: 'MB' };
    expect(goalsReport([memory, goal({ most: 5 }, 4)], []).rows).toMatchObject([
      { bound: 'at most 256', held: 'NO', figure: { median: 300 } },
      { bound: 'at most 5', held: 'yes', figure: { median: 4 } },
    ]);
  });
});
