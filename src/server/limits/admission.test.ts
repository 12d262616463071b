import { expect, it } from 'vitest';
import { MIB, READ_AHEAD_BYTES, SERVER_READ_AHEAD_BYTES } from '../../limits.ts';
import { Admission } from './admission.ts';

it('has many downloads fetch less ahead, each by how many there were when it began', () => {
  const admission = new Admission({ requestsMax: 100, requestsOfCallerMax: 100 } as ConstructorParameters<
    typeof Admission
  >[0]);
  const leaves: (() => void)[] = [];
  const shares: number[] = [];
  for (let download = 0; download < 64; download += 1) {
    leaves.push(admission.enter('somebody'));
    shares.push(admission.readAheadBytes);
  }
  expect(shares[0]).toBe(READ_AHEAD_BYTES);
  expect(shares[63]).toBe(SERVER_READ_AHEAD_BYTES / 64);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThan(160 * MIB);
  for (const leave of leaves) leave();
  expect(admission.readAheadBytes).toBe(READ_AHEAD_BYTES);
});
