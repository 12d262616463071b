import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** Numbers of one predecessor's features that its test file does not prove, and why; `OS-1..7` is a run of them. */
export type Elsewhere = Readonly<Record<string, string>>;

function expand(prefix: string, range: string): string[] {
  const [, first = '', last = first] = /-(\d+)(?:\.\.(\d+))?$/.exec(range) ?? [];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${prefix}-${Number(first) + index}`);
}

/** Of `bsfs.test.ts`: itself, `bsfs-sealed.test.ts` and whatever else begins so. */
function textsOf(file: string): readonly string[] {
  const [folder, stem] = [path.dirname(file), path.basename(file, '.test.ts')];
  const isOfIt = (name: string) => name === `${stem}.test.ts` || name.startsWith(`${stem}-`);
  return readdirSync(folder)
    .filter(isOfIt)
    .map((name) => readFileSync(path.join(folder, name), 'utf8'));
}

/**
 * Registers a test that every numbered feature of a predecessor is proven by a test of this file or one whose name begins
 * with its name, and whose title begins with the number, or stands in `elsewhere`, and none in both.
 */
export function accountForFeatures(
  file: string,
  features: { readonly prefix: string; readonly count: number; readonly elsewhere: Elsewhere },
): void {
  const { prefix, count, elsewhere } = features;
  it(`${prefix}: every number is proven here or said to be elsewhere`, () => {
    const title = /\bit(?:\.each\([^)]*\))?\(\s*['"`]([A-Z]{2}-\d+)\b/g;
    const titles = textsOf(file).flatMap((text) => [...text.matchAll(title)]);
    const proven = new Set(titles.map(([, number]) => number));
    const told = new Set(Object.keys(elsewhere).flatMap((range) => expand(prefix, range)));
    const all = Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
    expect(all.filter((number) => !proven.has(number) && !told.has(number))).toEqual([]);
    expect(all.filter((number) => proven.has(number) && told.has(number))).toEqual([]);
  });
}
