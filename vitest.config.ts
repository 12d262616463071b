import path from 'node:path';
import { defineConfig } from 'vitest/config';

// Every store starts a thread that loads its modules from their sources; compiling them once is enough for all tests.
process.env.NODE_COMPILE_CACHE ??= path.resolve(import.meta.dirname, 'node_modules/.cache/holdfast-tests');

/** What takes too long for `npm test`: campaigns, whole workloads of the predecessors, installing the package. */
const CAMPAIGNS = [
  'test/{archive,compliance,docs,durability,exchange,hostile,model,sealed,seeds}/**/*.test.ts',
  'test/e2e/{cli-prompts,cli-runs,demo,drill,package}.test.ts',
  'test/objects/snapshot-file.test.ts',
  'test/store/{fenced-processes,validating}.test.ts',
];

/** Campaigns of which `npm test` runs a tenth: see `test/support/campaign.ts`. */
const IN_BOTH = ['test/fuzz/targets.test.ts', 'test/simulation/*.test.ts', 'test/store/{flips,model}.test.ts'];

export default defineConfig({
  test: {
    // The thread of a closed store serves the next one: starting threads took a third of the time.
    alias: { 'node:worker_threads': path.resolve(import.meta.dirname, 'test/support/kept-worker.ts') },
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Loading the sources anew for each file took a fifth of the time. So a test leaves nothing behind in its process: no
    // replaced globals, no working folder, no environment.
    isolate: false,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['src/**/*.test.ts', 'dashboard/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/slow/**', 'test/browser/**', ...CAMPAIGNS],
        },
      },
      { extends: true, test: { name: 'browser', include: ['test/browser/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'campaigns', include: [...CAMPAIGNS, ...IN_BOTH], env: { HOLDFAST_CAMPAIGN: 'whole' } },
      },
    ],
  },
});
