import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { BUGS } from '../slow/planted/bugs.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

it('there are twenty bugs or more to plant, each of its own name', () => {
  expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
  expect(BUGS.length).toBeGreaterThanOrEqual(20);
});

it.each(BUGS)('$name can be planted at one place, and there are tests that may see it', ({
  file,
  find,
  plant,
  tests,
}) => {
  const source = readFileSync(path.join(ROOT, file), 'utf8');
  expect(source.split(find)).toHaveLength(2);
  expect(plant).not.toBe(find);
  expect(tests.filter((test) => !existsSync(path.join(ROOT, test)))).toEqual([]);
});
