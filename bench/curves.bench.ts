/** Cost against what grows: a unit of each kind of work should cost the same, however much of it there is. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MIB } from '../src/limits.ts';
import { type Curve, pointsReport, verdictReport } from './curves/curve.ts';
import {
  alongBackends,
  alongChunks,
  alongConcurrency,
  alongEntries,
  alongRedundancy,
  alongSize,
  type CurveParts,
} from './curves/measure.ts';
import { plotCurve } from './curves/plot.ts';
import type { Bench } from './harness/bench.ts';
import { loadLibrary } from './harness/library.ts';
import { writeWordyFile } from './harness/sample-content.ts';

const SIZES = [1 / 1024, 1 / 64, 1 / 4, 4, 64, 1024].map((mib) => mib * MIB);
const SIZE_LONG = 10 * 1024 * MIB;
const ENTRIES = [1000, 10_000, 100_000];
const ENTRIES_LONG = 1_000_000;
const CHUNKS = [256, 2560, 25_600];
const SPREAD_BYTES = 64 * MIB;

/** Those of up to `scale` times the largest, and the first two at least: one point is no curve. */
function upTo(values: readonly number[], scale: number): readonly number[] {
  return values.filter((value, at) => at < 2 || value <= values.at(-1)! * scale);
}

async function measureCurves(parts: CurveParts, sizes: readonly number[]): Promise<readonly Curve[]> {
  const { scale, long } = parts.context;
  const entries = upTo(ENTRIES, scale);
  return [
    await alongSize(parts, sizes),
    await alongEntries(parts, long ? [...entries, ENTRIES_LONG] : entries),
    await alongChunks(parts, upTo(CHUNKS, scale)),
    await alongBackends(parts, [1, 2, 4, 8], SPREAD_BYTES * scale),
    await alongRedundancy(parts, ['1+1', '2+1', '3+2', '5+4', '10+4'], SPREAD_BYTES * scale),
    await alongConcurrency(parts, [1, 4, 16, 64, 256]),
  ];
}

export const bench: Bench = {
  name: 'curves',
  about: 'cost against size, entries, chunks, backends, redundancy, calls in flight; --long, --plots DIR',
  async run(context) {
    const library = await loadLibrary(context.say);
    if (library === undefined) return [];
    const sizes = context.long ? [...SIZES, SIZE_LONG] : upTo(SIZES, context.scale);
    const contentFile = path.join(context.workFolder, 'content');
    const contentBytes = Math.max(sizes.at(-1)!, SPREAD_BYTES * context.scale, 100 * MIB * context.scale);
    await writeWordyFile(contentFile, Math.ceil(contentBytes));
    const curves = await measureCurves({ library, context, contentFile }, sizes);
    if (context.plots !== undefined) {
      mkdirSync(context.plots, { recursive: true });
      for (const curve of curves) writeFileSync(path.join(context.plots, `${curve.name}.svg`), plotCurve(curve));
    }
    return [verdictReport(curves), ...curves.map(pointsReport)];
  },
};
