import type { Report } from './report.ts';

/** What every bench is given. */
export interface BenchContext {
  /** Repetitions of everything that is timed, 1 or more. */
  readonly rounds: number;
  /** Sizes of generated data and stores by this factor: 1 is what docs/benchmarks.md has, less is for a first look. */
  readonly scale: number;
  /** Write down what was measured as what later runs are compared with. */
  readonly update: boolean;
  /** Also what takes many minutes. */
  readonly long: boolean;
  /** Folder that takes plots; without it none are drawn. */
  readonly plots: string | undefined;
  /** A fresh folder for this bench, in memory where the machine has such a place; removed afterwards. */
  readonly workFolder: string;
  /** Whether `workFolder` is in memory. */
  readonly inMemory: boolean;
  /** Path of a corpus file or folder (`linux.tar`, `typescript`), or `undefined` after a visible line on how to get it. */
  corpus(name: string): string | undefined;
  /** One line of progress on stderr. */
  say(line: string): void;
}

/** The one export of every `*.bench.ts`. */
export interface Bench {
  readonly name: string;
  /** One line for `npm run bench -- --list`. */
  readonly about: string;
  run(context: BenchContext): Promise<readonly Report[]>;
}
