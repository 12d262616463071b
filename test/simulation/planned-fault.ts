/** What fails in one run, as plain data: drawn at random, and told where something was lost. */
import { storeError } from '../../src/errors/store-error.ts';
import type { FaultyFileSystem, FileSystemFault, SeededRandom } from '../../src/testing/index.ts';
import type { SimulatedMachine } from './simulated-machine.ts';
import type { SimulatedProcess } from './simulated-process.ts';

const CODES = ['EIO', 'EIO', 'ENOSPC', 'EACCES', 'EMFILE', 'EBUSY'] as const;
const TIMINGS = ['before', 'before', 'after', 'torn'] as const;
/** What comes of an error of SQLite; of a full disk and of a busy file it is certain that nothing was done. */
const METADATA_FAULTS = [
  { code: 'BACKEND_IO', when: 'before' },
  { code: 'BACKEND_IO', when: 'after' },
  { code: 'DISK_FULL', when: 'before' },
  { code: 'METADATA_BUSY', when: 'before' },
] as const;
/** One fault in so many is one of the metadata. */
const METADATA_ODDS = 6;
const TWO_FAULTS_ODDS = 5;
const SHORT_TRANSFERS_ODDS = 8;
const SHORT_BYTES_MAX = 2000;
/** Calls in a row that fail at most, and how seldom it is more than one. */
const [ROW_MAX, ROW_ODDS] = [5, 4];

/** How often a run calls what can fail. */
export interface FailingCalls {
  readonly files: number;
  readonly transactions: number;
}

type FailingCall =
  | ({ readonly of: 'files' } & Required<Pick<FileSystemFault, 'nth' | 'times' | 'code' | 'when'>>)
  | ({ readonly of: 'metadata' } & Required<Pick<FileSystemFault, 'nth' | 'times'>> & (typeof METADATA_FAULTS)[number]);

export interface PlannedFault {
  readonly failing: readonly FailingCall[];
  /** When all is well again: after the calls that fail, when the steps have ended, or when the store is closed. */
  readonly healed: 'at once' | 'after the steps' | 'after closing';
  /** Most bytes that one call reads or writes. */
  readonly transferBytesMax: number | undefined;
}

/** @param calls of a run that nothing disturbs */
export function drawFault(random: SeededRandom, calls: FailingCalls): PlannedFault {
  const one = <T>(choices: readonly T[]): T => choices[random.integer(choices.length)] as T;
  const healed = one(['at once', 'at once', 'after the steps', 'after closing'] as const);
  const timesOnce = (): number => 1 + (random.integer(ROW_ODDS) === 0 ? random.integer(ROW_MAX) : 0);
  const call = (): FailingCall => {
    const times = healed === 'at once' ? timesOnce() : Number.POSITIVE_INFINITY;
    if (random.integer(METADATA_ODDS) > 0)
      return { of: 'files', nth: 1 + random.integer(calls.files), times, code: one(CODES), when: one(TIMINGS) };
    return { of: 'metadata', nth: 1 + random.integer(calls.transactions), times, ...one(METADATA_FAULTS) };
  };
  const failing = random.integer(TWO_FAULTS_ODDS) === 0 ? [call(), call()] : [call()];
  const transferBytesMax = random.integer(SHORT_TRANSFERS_ODDS) === 0 ? 1 + random.integer(SHORT_BYTES_MAX) : undefined;
  return { failing, healed, transferBytesMax };
}

/** Whom a fault meets. */
export interface FailingProcess {
  readonly machine: SimulatedMachine;
  readonly process: SimulatedProcess;
  readonly disk: FaultyFileSystem;
}

/** Lets what a process calls fail as it is planned, from now on. */
export function setFault({ machine, process, disk }: FailingProcess, fault: PlannedFault): void {
  if (fault.transferBytesMax !== undefined) disk.transferBytesMax = fault.transferBytesMax;
  for (const one of fault.failing) {
    if (one.of === 'metadata') {
      const error = storeError(one.code, 'injected', one.code === 'BACKEND_IO' ? { retry: false } : {});
      process.transactionFaults.add({ nth: one.nth, times: one.times, when: one.when, error });
      continue;
    }
    const { of: _, ...how } = one;
    disk.fail({
      ...how,
      call: 'any',
      onHit: (call, path) => {
        // What a failed flush was about is not flushed by the next one, though it says so.
        if (how.when !== 'after' && (call === 'sync' || call === 'syncDirectory')) machine.disk.forgetUnflushed(path);
      },
    });
  }
}

/** Ends what fails. */
export function heal({ process, disk }: FailingProcess): void {
  process.transactionFaults.clear();
  disk.heal();
}
