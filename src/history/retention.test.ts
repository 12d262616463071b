import { describe, expect, it } from 'vitest';
import { type SeededRandom, seededRandom } from '../testing/seeded-random.ts';
import { type Moment, planRetention, type RetentionRules } from './retention.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2019, 11, 20);
const END = Date.UTC(2026, 11, 31, 23);
const RULES = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

type Labels = Readonly<Record<(typeof RULES)[number], string>>;

/** The day of the month of the nth Sunday; from behind when n is negative. `month` counts from 0. */
function sunday(year: number, month: number, nth: number): number {
  const sundays: number[] = [];
  for (let day = 1; day <= 31; day += 1) {
    const date = new Date(Date.UTC(year, month, day));
    if (date.getUTCMonth() === month && date.getUTCDay() === 0) sundays.push(day);
  }
  return sundays.at(nth < 0 ? nth : nth - 1)!;
}

/** Hours from UTC by the rules in the law books, not by what Node knows. */
const OFFSETS: Readonly<Record<string, (time: number) => number>> = {
  UTC: () => 0,
  'Europe/Berlin': (time) => {
    const year = new Date(time).getUTCFullYear();
    const from = Date.UTC(year, 2, sunday(year, 2, -1), 1);
    return time >= from && time < Date.UTC(year, 9, sunday(year, 9, -1), 1) ? 2 : 1;
  },
  'America/New_York': (time) => {
    const year = new Date(time).getUTCFullYear();
    const from = Date.UTC(year, 2, sunday(year, 2, 2), 7);
    return time >= from && time < Date.UTC(year, 10, sunday(year, 10, 1), 6) ? -4 : -5;
  },
};

/**
 * Every hour there is, with what a wall calendar says of it, counted on day by day: a week is named when its Thursday
 * comes, by how many Thursdays its year has had.
 */
function brutalCalendar(zone: string): ReadonlyMap<number, Labels> {
  const calendar = new Map<number, Labels>();
  const weeks = new Map<number, string>();
  const thursdays = new Map<number, number>();
  const firstMonday = Date.UTC(2018, 0, 1);
  for (let day = firstMonday; day < END + 30 * 24 * HOUR; day += 24 * HOUR) {
    if (new Date(day).getUTCDay() !== 4) continue;
    const year = new Date(day).getUTCFullYear();
    thursdays.set(year, (thursdays.get(year) ?? 0) + 1);
    weeks.set(
      (day - firstMonday) / (24 * HOUR * 7) - 3 / 7,
      `${year}-W${String(thursdays.get(year)).padStart(2, '0')}`,
    );
  }
  const byIndex = new Map([...weeks].map(([index, label]) => [Math.round(index), label]));
  for (let time = START - 48 * HOUR; time <= END + 48 * HOUR; time += HOUR) {
    const wall = new Date(time + OFFSETS[zone]!(time) * HOUR).toISOString();
    const day = wall.slice(0, 10);
    calendar.set(time, {
      hourly: `${day} ${wall.slice(11, 13)}h`,
      daily: day,
      weekly: byIndex.get(Math.floor((Date.parse(day) - firstMonday) / (24 * HOUR * 7)))!,
      monthly: wall.slice(0, 7),
      yearly: wall.slice(0, 4),
    });
  }
  return calendar;
}

/** The definition, word by word, for one moment after the other. */
function brutally(
  moments: readonly Moment[],
  rules: RetentionRules,
  calendar: ReadonlyMap<number, Labels>,
): ReadonlyMap<number, readonly string[]> {
  const labelled = moments.map((one) => ({ ...one, labels: calendar.get(Math.floor(one.time / HOUR) * HOUR)! }));
  const kept = new Map<number, readonly string[]>();
  for (const { number, labels } of labelled) {
    const newer = labelled.filter((other) => other.number > number);
    const reasons: string[] = [];
    if (rules.last !== undefined && newer.length < rules.last) reasons.push('last');
    for (const rule of RULES) {
      const count = rules[rule];
      const periods = new Set(newer.map((other) => other.labels[rule]));
      if (count !== undefined && periods.size < count && !periods.has(labels[rule])) {
        reasons.push(`${rule} ${labels[rule]}`);
      }
    }
    if (reasons.length > 0) kept.set(number, reasons);
    else if (newer.length === 0) kept.set(number, ['newest']);
  }
  return kept;
}

/** Around every change of clocks, end of year and leap day, in bursts, and anywhere. */
function randomTime(random: SeededRandom): number {
  const year = 2020 + random.integer(7);
  const spot = [
    Date.UTC(year, 2, sunday(year, 2, -1), 1),
    Date.UTC(year, 9, sunday(year, 9, -1), 1),
    Date.UTC(year, 2, sunday(year, 2, 2), 7),
    Date.UTC(year, 10, sunday(year, 10, 1), 6),
    Date.UTC(year, 0, 1),
    Date.UTC(year, 1, 29),
  ][random.integer(6)]!;
  if (random.integer(3) === 0) return START + random.integer(Math.floor((END - START) / 1000)) * 1000;
  return Math.max(START, spot + (random.integer(14_400) - 7200) * (random.integer(2) ? 1000 : 60_000));
}

function randomMoments(random: SeededRandom, ordered: boolean): readonly Moment[] {
  const times = Array.from({ length: 1 + random.integer(160) }, () => randomTime(random));
  for (let index = 1; index < times.length; index += 1) if (random.integer(12) === 0) times[index] = times[index - 1]!;
  if (ordered) times.sort((a, b) => a - b);
  const moments = times.map((time, index) => ({ number: index * (1 + random.integer(2)) + index + 1, time }));
  const unique = [...new Map(moments.map((one) => [one.number, one])).values()];
  return unique.toSorted(() => random.integer(3) - 1);
}

function randomRules(random: SeededRandom): RetentionRules {
  const rules: Record<string, number> = {};
  for (const name of ['last', ...RULES]) if (random.integer(3) === 0) rules[name] = 1 + random.integer(12);
  return Object.keys(rules).length === 0 ? { daily: 7 } : rules;
}

describe.each(Object.keys(OFFSETS))('retention in %s', (timeZone) => {
  const calendar = brutalCalendar(timeZone);

  it.each([
    ['in the order of time', true],
    ['with a clock that jumps', false],
  ])('is what a brute-force calendar says, %s', (_, ordered) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seededRandom(seed);
      const moments = randomMoments(random, ordered);
      const rules = randomRules(random);
      const plan = planRetention(moments, rules, { now: END, timeZone });
      const expected = brutally(moments, rules, calendar);
      const context = `seed ${seed}`;
      expect(new Map(plan.keep.map(({ number, reasons }) => [number, reasons])), context).toEqual(expected);
      const all = [...plan.keep.map(({ number }) => number), ...plan.forget];
      expect(
        all.toSorted((a, b) => a - b),
        context,
      ).toEqual(moments.map(({ number }) => number).toSorted((a, b) => a - b));
      expect(plan.forget, context).toEqual(plan.forget.toSorted((a, b) => b - a));
    }
  });

  it('keeps the newest of each of the last days that hold something, walking the calendar back', () => {
    const random = seededRandom(77);
    const moments = randomMoments(random, true);
    const newest = new Map<string, number>();
    for (const [hour, { daily }] of [...calendar].reverse()) {
      const inHour = moments.filter(({ time }) => Math.floor(time / HOUR) * HOUR === hour);
      if (inHour.length > 0 && !newest.has(daily)) newest.set(daily, Math.max(...inHour.map(({ number }) => number)));
    }
    const plan = planRetention(moments, { daily: 9 }, { now: END, timeZone });
    expect(plan.keep.map(({ number }) => number)).toEqual([...newest.values()].slice(0, 9));
  });
});

function at(...times: readonly string[]): readonly Moment[] {
  return times.map((time, index) => ({ number: index + 1, time: Date.parse(time) }));
}

describe('retention', () => {
  const now = Date.parse('2026-11-21T20:00:00Z');
  const week = at(...Array.from({ length: 30 }, (_, day) => `2026-11-${String(day + 1).padStart(2, '0')}T12:00:00Z`));

  it.each([{}, { last: undefined }])('never takes no rules (%j) for an order to forget everything', (rules) => {
    expect(() => planRetention(week, rules, { now })).toThrow(RangeError);
    expect(() => planRetention(week, rules, { now })).toThrow(/^rules must be at least one rule/);
  });

  it('refuses rules that are none', () => {
    const refused = (rules: unknown) => () => planRetention(week, rules as RetentionRules, { now });
    expect(refused({ daily: 0 })).toThrow(/^rules.daily must be/);
    expect(refused({ daily: 1.5 })).toThrow(RangeError);
    expect(refused({ daily: '7' })).toThrow(TypeError);
    expect(refused({ dayly: 7 })).toThrow(/^rules must be of last, hourly/);
    expect(refused({ within: 'soon' })).toThrow(/^rules.within must be/);
    expect(refused(undefined)).toThrow(TypeError);
  });

  it('refuses moments that are none', () => {
    expect(() => planRetention([...week, week[3]!], { last: 1 }, { now })).toThrow(/^moments.number must be different/);
    expect(() => planRetention([{ number: 1, time: Number.NaN }], { last: 1 }, { now })).toThrow(RangeError);
    expect(() => planRetention([{ number: 0, time: 1 }], { last: 1 }, { now })).toThrow(RangeError);
    expect(() => planRetention(week, { last: 1 }, { now, timeZone: 'Nowhere' })).toThrow(/^timeZone/);
  });

  it('keeps nothing of nothing', () => {
    expect(planRetention([], { last: 1 }, { now })).toEqual({ keep: [], forget: [] });
  });

  it('keeps what is newer than a duration, whatever it was stamped', () => {
    const moments = at('2026-11-19T20:00:00Z', '2026-11-19T20:00:01Z', '2031-01-01T00:00:00Z', '2020-01-01T00:00:00Z');
    const plan = planRetention(moments, { within: '2d' }, { now });
    expect(plan.keep).toEqual([
      { number: 4, reasons: ['newest'] },
      { number: 3, reasons: ['within 2d'] },
      { number: 2, reasons: ['within 2d'] },
    ]);
    expect(plan.forget).toEqual([1]);
  });

  it('keeps by number where the clock went back', () => {
    const moments = at('2026-11-20T10:00:00Z', '2026-11-21T10:00:00Z', '2026-11-20T09:00:00Z');
    expect(planRetention(moments, { daily: 2 }, { now }).keep).toEqual([
      { number: 3, reasons: ['daily 2026-11-20'] },
      { number: 2, reasons: ['daily 2026-11-21'] },
    ]);
  });

  it('takes the hour that clocks show twice for one', () => {
    const moments = at('2026-10-24T23:30:00Z', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:30:00Z');
    const plan = planRetention(moments, { hourly: 10 }, { now, timeZone: 'Europe/Berlin' });
    expect(plan.keep.map(({ reasons }) => reasons[0])).toEqual([
      'hourly 2026-10-25 03h',
      'hourly 2026-10-25 02h',
      'hourly 2026-10-25 01h',
    ]);
    expect(plan.forget).toEqual([2]);
  });

  it('counts the weeks of ISO 8601 at both ends of a year', () => {
    const moments = at('2020-12-31T12:00:00Z', '2021-01-03T12:00:00Z', '2021-01-04T12:00:00Z', '2024-12-30T12:00:00Z');
    expect(planRetention(moments, { weekly: 9 }, { now }).keep.map(({ reasons }) => reasons[0])).toEqual([
      'weekly 2025-W01',
      'weekly 2021-W01',
      'weekly 2020-W53',
    ]);
  });
});
