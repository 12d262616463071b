/** Published vectors, which lie in `../shared/vectors` beside the checkout, and are left out of a run where they are not. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fromHex } from '../../src/bytes/bytes.ts';

const FOLDER = new URL('../../../shared/vectors/', import.meta.url);

/** Whether the file is there; tests skip with a visible line where it is not. */
export function hasVectors(name: string): boolean {
  return existsSync(new URL(name, FOLDER));
}

export function vectorText(name: string): string {
  const bytes = readFileSync(new URL(name, FOLDER));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** One case of Wycheproof: its fields as text, those of its group included. */
export interface WycheproofCase {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly comment?: string;
  readonly flags?: readonly string[];
  readonly [field: string]: unknown;
}

/** All cases of a file of C2SP/wycheproof, testvectors_v1, at dac1dd4. */
export function wycheproof(name: string): readonly WycheproofCase[] {
  const file = JSON.parse(vectorText(`wycheproof/${name}.json`)) as {
    readonly numberOfTests: number;
    readonly testGroups: readonly { readonly tests: readonly WycheproofCase[] }[];
  };
  const cases = file.testGroups.flatMap(({ tests, ...group }) => tests.map((one) => ({ ...group, ...one })));
  if (cases.length !== file.numberOfTests) throw new Error(`${name} holds ${cases.length} cases`);
  return cases;
}

/** A field that holds hex. */
export function bytesOf(one: WycheproofCase, field: string): Uint8Array {
  const bytes = fromHex(String(one[field] ?? ''));
  if (bytes === undefined) throw new Error(`case ${one.tcId}: ${field} is no hex`);
  return bytes;
}

/** How many cases there are of each kind. */
export function countBy<T>(cases: readonly T[], kindOf: (one: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of cases) counts[kindOf(one)] = (counts[kindOf(one)] ?? 0) + 1;
  return counts;
}
