import { setImmediate } from 'node:timers/promises';
import type { OpenedBackend } from '../../src/testing/backend-case.ts';
import { describeBackend } from '../../src/testing/describe-backend.ts';

/** How one test of the suite ended. */
export interface SuiteResult {
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly error?: unknown;
}

/** Event-loop turns after which a test that has not ended counts as hanging; the slowest sound one takes a few hundred. */
const TURNS_MAX = 20_000;

async function endOrHang(running: Promise<void>): Promise<void> {
  let ended = false;
  const watched = running.finally(() => {
    ended = true;
  });
  watched.catch(() => undefined);
  for (let turn = 0; turn < TURNS_MAX && !ended; turn += 1) await setImmediate();
  if (!ended) throw new Error('the test hangs');
  await watched;
}

/** Runs the backend suite without a test runner and tells how each of its tests ended. */
export async function collectSuite(open: () => Promise<OpenedBackend>): Promise<readonly SuiteResult[]> {
  const results: SuiteResult[] = [];
  const tests: (() => Promise<void>)[] = [];
  const runner = {
    describe: (_name: string, body: () => void) => body(),
    it: (title: string, body: (context: { skip(note?: string): void }) => Promise<void>) => {
      tests.push(async () => {
        let outcome: SuiteResult['outcome'] = 'passed';
        const skip = () => {
          outcome = 'skipped';
        };
        try {
          await endOrHang(body({ skip }));
          results.push({ title, outcome });
        } catch (error) {
          results.push({ title, outcome: 'failed', error });
        }
      });
    },
  };
  describeBackend(runner, 'a backend', { open });
  for (const test of tests) await test();
  return results;
}
