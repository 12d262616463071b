import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the part of the heap for young objects as small as it starts. A long run of puts makes V8 enlarge it to 64 MiB
 * for each thread, nearly all of it garbage: a stream of 4 GiB peaked at 241 to 282 MiB, with this at 177, in the same
 * time. And has the old ones collected when they have grown by half, which V8 else lets grow to four times what lives:
 * collecting the garbage of 200,000 chunks peaked at 405 MB without, at 322 MB with it. A matter of the process and so of
 * the command; the library leaves it to the program it is part of.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  growHeapBy(50);
}

/** Percent of what lives that the old part of the heap may grow by, by what passes through. */
const GROWTH_PERCENT = { in: 100, 'files out': 100, 'stream out': 400 } as const;

/**
 * Lets the old part of the heap grow further before it is collected, for commands that keep little and pass much through:
 * buffers count as part of it, and each megabyte of content is one. Reading 1.4 GB took 9.8 s of processor time at 50
 * percent, 7.0 at 200 and 6.0 at 400, and peaked at 169, 201 and 217 MiB; restoring 78,579 files 22.4 s at 50, 17.9 at 100 and
 * 16.0 at 400, and peaked at 353, 354 and 455 MiB. What writes keeps buffers besides.
 */
export function letContentThrough(way: keyof typeof GROWTH_PERCENT): void {
  growHeapBy(GROWTH_PERCENT[way]);
}

/** @param percent of what lives, until the old part of the heap is collected */
function growHeapBy(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
