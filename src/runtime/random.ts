import { randomFillSync, randomUUID } from 'node:crypto';

/** Source of random bytes; the system's cryptographic generator unless a test injects a seeded one. */
export type RandomBytes = (length: number) => Uint8Array;

export const systemRandom: RandomBytes = (length) => randomFillSync(new Uint8Array(length));

export function randomId(): string {
  return randomUUID();
}
