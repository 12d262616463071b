/** Faults, ends, power cuts and exchanged rows at every point, where a quick run takes a sample. */
import { runVitest } from '../vitest-run.ts';

const FILES = [
  'test/docs/documents.test.ts',
  'test/durability/backend-crash-points.test.ts',
  'test/durability/backend-faults.test.ts',
  'test/durability/file-faults.test.ts',
  'test/durability/sealed-crash-points.test.ts',
  'test/durability/sealed-faults.test.ts',
  'test/sealed/nonces.test.ts',
  'test/sealed/row-splices.test.ts',
];

/** One test tries every point of one operation. */
const TEST_TIMEOUT_MS = 1_800_000;

/** @throws when a store lost something at a point, which the failing test names */
export async function runPoints(): Promise<void> {
  const options = [`--testTimeout=${TEST_TIMEOUT_MS}`];
  const passed = await runVitest([...FILES, ...options], { HOLDFAST_EVERY_POINT: '1' });
  if (!passed) throw new Error('a store did not survive what happened at a point');
}
