/** The HTTP server beside the library that it serves: what a socket, HTTP and the checks of requests cost. */
import { goalsReport } from './goals/goal.ts';
import type { Bench } from './harness/bench.ts';
import { loadLibrary } from './harness/library.ts';
import { contentOf } from './harness/sample-content.ts';
import { measureFirstPaint } from './server/first-paint.ts';
import { measureLarge } from './server/large.ts';
import { measureSlow } from './server/slow.ts';
import { measureSmall } from './server/small.ts';

export const bench: Bench = {
  name: 'server',
  about: 'the HTTP server beside the library: large downloads and uploads, small GETs, slow clients, first paint',
  async run(context) {
    const library = await loadLibrary(context.say);
    if (library === undefined) return [];
    const parts = { library, context, file: await contentOf('linux.tar', context) };
    const measured = [await measureLarge(parts), await measureSmall(parts), await measureSlow(parts)];
    const painted = await measureFirstPaint(parts);
    if (painted) measured.push(painted);
    const goals = measured.flatMap((one) => one.goals);
    return [...measured.map(({ report }) => report), goalsReport(goals, ['plain stores, defaults, loopback'])];
  },
};
