/** Upkeep in words: what a job is for, and what it came to. */
import type { JobInfo, JobKind } from '../api/types.ts';
import { countOf, formatBytes } from './format.ts';

export interface JobWords {
  readonly title: string;
  readonly about: string;
  readonly takesSpeed: boolean;
  readonly takesDryRun: boolean;
}

export const JOB_WORDS: Readonly<Record<JobKind, JobWords>> = {
  check: {
    title: 'Check that all is there',
    about: 'Compares the lists of the store with what lies on the storage places. Reads no content, so it is quick.',
    takesSpeed: false,
    takesDryRun: false,
  },
  verify: {
    title: 'Verify everything',
    about: 'Reads every piece and compares it with its fingerprint. What is damaged is noted for repair.',
    takesSpeed: true,
    takesDryRun: true,
  },
  scrub: {
    title: 'Verify and repair',
    about: 'Reads every piece, and makes those anew that are missing or damaged.',
    takesSpeed: true,
    takesDryRun: false,
  },
  repair: {
    title: 'Repair',
    about: 'Makes missing and damaged pieces anew from the others.',
    takesSpeed: true,
    takesDryRun: true,
  },
  gc: {
    title: 'Free space',
    about: 'Gives back the space of what was deleted. The store does this by itself, too, a little at a time.',
    takesSpeed: false,
    takesDryRun: true,
  },
};

type Report = Readonly<Record<string, unknown>>;

const number = (report: Report, name: string): number => Number(report[name] ?? 0);

function damage(report: Report): string {
  const missing = number(report, 'shardsMissing');
  const corrupt = number(report, 'shardsCorrupt');
  const away = number(report, 'shardsUnreachable');
  const parts = [
    ...(missing > 0 ? [`${countOf(missing, 'piece')} missing`] : []),
    ...(corrupt > 0 ? [`${countOf(corrupt, 'piece')} damaged`] : []),
    ...(away > 0 ? [`${countOf(away, 'piece')} not reachable`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'all of them good';
}

function verified(report: Report): string {
  return `${countOf(number(report, 'shardsGood'), 'good piece')}, ${formatBytes(number(report, 'bytesRead'))} read: ${damage(report)}`;
}

function repaired(report: Report): string {
  const done = number(report, 'shardsRepaired');
  return `${countOf(done, 'piece')} made anew`;
}

function describeReport(kind: JobKind, report: Report): string {
  switch (kind) {
    case 'verify':
      return verified(report);
    case 'repair':
      return repaired(report);
    case 'scrub':
      return `${verified((report.verify ?? {}) as Report)}; ${repaired((report.repair ?? {}) as Report)}`;
    case 'gc':
      return `${formatBytes(number(report, 'bytesFreed') + number(report, 'journalBytesFreed'))} given back`;
    default: {
      const problems = Number(report.problemCount ?? (report.problems as readonly unknown[] | undefined)?.length ?? 0);
      return problems === 0 ? 'Everything is where it should be' : `${countOf(problems, 'problem')} found`;
    }
  }
}

/** What a job came to, in a sentence. */
export function describeJob({ kind, state, report, problem, progress }: JobInfo): string {
  if (state === 'failed') return problem?.detail ?? 'It failed';
  if (state === 'done' && report) {
    const told = describeReport(kind, report as Report);
    return (report as Report).dryRun === true ? `${told} (only looked, nothing changed)` : told;
  }
  if (!progress) return state === 'running' ? 'Begins' : '';
  const { done, total, bytes } = progress;
  return `${total === undefined ? done : `${done} of ${total}`}, ${formatBytes(bytes)}`;
}
