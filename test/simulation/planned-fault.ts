/** Which calls of a file system fail in one run, as plain data: drawn at random, and told where the run failed. */
import type { FaultyFileSystem, FileSystemFault, SeededRandom } from '../../src/testing/index.ts';
import type { SimulatedMachine } from './simulated-machine.ts';

const CODES = ['EIO', 'EIO', 'ENOSPC', 'EACCES', 'EMFILE', 'EBUSY'] as const;
const TIMINGS = ['before', 'before', 'after', 'torn'] as const;

export interface PlannedFault {
  readonly failing: readonly Required<Pick<FileSystemFault, 'nth' | 'times' | 'code' | 'when'>>[];
  /** When the disk is well again: after the calls that fail, when the steps have ended, or when the store is closed. */
  readonly healed: 'at once' | 'after the steps' | 'after closing';
  /** Most bytes that one call reads or writes. */
  readonly transferBytesMax: number | undefined;
}

/** @param calls of the run that nothing disturbs */
export function drawFault(random: SeededRandom, calls: number): PlannedFault {
  const healed = (['at once', 'at once', 'after the steps', 'after closing'] as const)[random.integer(4)] ?? 'at once';
  const one = () => ({
    nth: 1 + random.integer(calls),
    times: healed === 'at once' ? 1 + (random.integer(4) === 0 ? random.integer(4) : 0) : Number.POSITIVE_INFINITY,
    code: CODES[random.integer(CODES.length)] ?? 'EIO',
    when: TIMINGS[random.integer(TIMINGS.length)] ?? 'before',
  });
  const failing = random.integer(5) === 0 ? [one(), one()] : [one()];
  const transferBytesMax = random.integer(8) === 0 ? 1 + random.integer(2000) : undefined;
  return { failing, healed, transferBytesMax };
}

/** Lets a disk fail as it is planned. */
export function setFault(
  disk: FaultyFileSystem,
  { fault, machine }: { readonly fault: PlannedFault; readonly machine: SimulatedMachine },
): void {
  if (fault.transferBytesMax !== undefined) disk.transferBytesMax = fault.transferBytesMax;
  for (const one of fault.failing) {
    disk.fail({
      ...one,
      call: 'any',
      onHit: (call, path) => {
        // What a failed flush was about is not flushed by the next one, though it says so.
        if (one.when !== 'after' && (call === 'sync' || call === 'syncDirectory')) machine.disk.forgetUnflushed(path);
      },
    });
  }
}
