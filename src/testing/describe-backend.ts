import { CALL_CASES } from './backend-call-cases.ts';
import type { BackendCase, OpenedBackend, SuiteContext } from './backend-case.ts';
import { READ_CASES } from './backend-read-cases.ts';
import { WRITE_CASES } from './backend-write-cases.ts';

/** The two functions of a test runner the suite needs: those of Vitest, of `node:test`, or one's own. */
export interface SuiteRunner {
  describe(name: string, body: () => void): void;
  it(name: string, body: (context: SuiteContext) => Promise<void>): void;
}

/** What to test, and what cannot be tested there. */
export interface BackendSuiteOptions {
  /** Numbers of guarantees to leave out, as `B16` where moving the largest value costs money. Default: none. */
  readonly without?: readonly string[];
}

const CASES: readonly BackendCase[] = [...WRITE_CASES, ...READ_CASES, ...CALL_CASES].sort(
  (a, b) => Number.parseInt(a.title.slice(1), 10) - Number.parseInt(b.title.slice(1), 10),
);

/**
 * The suite of the backend contract: every guarantee B1 to B16 tested under its number, on any backend.
 *
 * Each test opens an empty backend and disposes of it. What a backend cannot be made to do from outside (crash, fail,
 * be opened twice) is skipped with a note, but for `crash` on a backend that says it is durable: that fails.
 * @param suite `open` gives a fresh, empty backend; see `OpenedBackend` for what else it may offer
 * @example
 * describeBackend({ describe, it }, 'MyBackend', {
 *   open: async () => {
 *     const backend = await openMyBackend();
 *     return { backend, dispose: () => backend.close() };
 *   },
 * });
 */
export function describeBackend(
  runner: SuiteRunner,
  name: string,
  suite: { readonly open: () => Promise<OpenedBackend> } & BackendSuiteOptions,
): void {
  runner.describe(`${name} keeps the backend contract`, () => {
    for (const { title, run } of CASES) {
      if (suite.without?.some((number) => title.startsWith(`${number} `))) continue;
      runner.it(title, async (context) => {
        const opened = await suite.open();
        try {
          await run(opened, context);
        } finally {
          await opened.dispose();
        }
      });
    }
  });
}
