import { expect, it } from 'vitest';
import { TreeLines } from './tree-lines.ts';

it('draws a tree as its rows come, depth first', () => {
  const lines = new TreeLines();
  const rows = [
    ['top', 0, 3],
    ['a', 1, 2],
    ['b', 2, 1],
    ['c', 3, 0],
    ['d', 2, 0],
    ['e', 1, 0],
    ['f', 1, 1],
    ['g', 2, 0],
  ] as const;
  expect(rows.map(([text, depth, children]) => lines.next({ depth, children }, text))).toEqual([
    'top',
    '├─ a',
    '│  ├─ b',
    '│  │  └─ c',
    '│  └─ d',
    '├─ e',
    '└─ f',
    '   └─ g',
  ]);
});
