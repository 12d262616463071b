/** The dashboard of a store with many entries, in a real browser where the machine has one. */
import { spreadOf } from '../../src/bench/spread.ts';
import { launch, noBrowser } from '../../test/browser/launch.ts';
import type { Goal } from '../goals/goal.ts';
import { inFlight } from '../harness/in-flight.ts';
import type { Report } from '../harness/report.ts';
import { type ServerBench, withServed } from './served.ts';

const ENTRIES = 100_000;
const [PAINT_MS_MAX, PAGE_BYTES_MAX] = [1000, 100e3];

/** Milliseconds since a browser began to ask for the page, until each came. */
interface Opening {
  readonly answered: number;
  readonly painted: number;
  readonly told: number;
  /** Bytes of the page as they came, compressed. */
  readonly bytes: number;
}

/** A browser that has nothing cached opens the page. */
async function open(url: string): Promise<Opening> {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${url}/dashboard`);
    // Whether the data is safe: it is known when the numbers of the store have come.
    await page.locator('#safety').waitFor();
    return (await page.evaluate(`({
      told: performance.now(),
      painted: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      answered: performance.getEntriesByType('navigation')[0].responseStart,
      bytes: performance.getEntriesByType('navigation')[0].encodedBodySize,
    })`)) as Opening;
  } finally {
    await browser.close();
  }
}

/** @returns nothing where there is no browser, which was said then */
export async function measureFirstPaint(
  bench: ServerBench,
): Promise<{ report: Report; goals: readonly Goal[] } | undefined> {
  const { context } = bench;
  if (noBrowser) return undefined;
  const entries = Math.ceil(ENTRIES * context.scale);
  return withServed(bench, 'painted', async ({ store, url }) => {
    await inFlight(64, entries, (nth) => store.put(`folder-${nth % 100}/file-${nth}`, `content of ${nth}`));
    context.say(`  ${entries} entries are there`);
    const openings: Opening[] = [];
    for (let round = 0; round <= context.rounds; round += 1) openings.push(await open(url));
    const samples = (what: keyof Opening): readonly number[] => openings.slice(1).map((opening) => opening[what]);
    const spread = (what: keyof Opening) => spreadOf(samples(what));
    return {
      goals: [
        {
          what: 'first paint of the dashboard',
          bound: { most: PAINT_MS_MAX },
          unit: 'ms',
          samples: samples('painted'),
        },
        {
          what: 'page of the dashboard, compressed',
          bound: { most: PAGE_BYTES_MAX },
          unit: 'kB',
          samples: samples('bytes'),
        },
      ],
      report: {
        title: `server: the dashboard of a store with ${entries} entries, each time by a new browser`,
        columns: [
          { key: 'answered', head: 'first byte', unit: 'ms' },
          { key: 'painted', head: 'first paint', unit: 'ms' },
          { key: 'told', head: 'whether the data is safe', unit: 'ms' },
          { key: 'bytes', head: 'the page', unit: 'kB' },
        ],
        rows: [
          { answered: spread('answered'), painted: spread('painted'), told: spread('told'), bytes: spread('bytes') },
        ],
      },
    };
  });
}
