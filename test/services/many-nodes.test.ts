import { describe, expect, it } from 'vitest';
import { noNodesFigures, runNodesRound } from '../slow/nodes/nodes-round.ts';
import { ENDPOINT, makeBucket, openRelay, SERVER, WHY_SKIPPED } from './services.ts';

const SEED = 1;
/** `npm run test:slow -- nodes` runs twenty rounds of a thousand operations of each process. */
const ROUND = { operations: 25, kills: 1 };

describe.skipIf(ENDPOINT === undefined)(`four processes on one shared store${WHY_SKIPPED}`, () => {
  it.each([
    ['plain', false],
    ['sealed', true],
  ] as const)(
    `lose nothing of a %s one while they are killed and cut off (seed ${SEED})`,
    {
      timeout: 900_000,
    },
    async (kind, sealed) => {
      const [bucket, relay, figures] = [await makeBucket(), await openRelay(), noNodesFigures()];
      const metadata = `${SERVER}?schema=nodes_${kind}_${process.pid}`;
      await runNodesRound({ ...ROUND, seed: SEED, sealed, bucket, relay, metadata }, figures);
      await relay.cut();
      // Beside what two of them collect, which does not count.
      expect(figures.acknowledged).toBeGreaterThan(3 * ROUND.operations);
      expect(figures.kills).toBeGreaterThan(0);
      expect(figures.collections).toBeGreaterThan(0);
      expect(figures.rebuilds).toBe(1);
    },
  );
});
