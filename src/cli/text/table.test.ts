import { expect, it } from 'vitest';
import { formatTable } from './table.ts';

it('a table has its cells in columns and no blanks at the ends of lines', () => {
  expect(
    formatTable(
      ['ID', 'LABEL'],
      [
        ['long id', 'a'],
        ['b', ''],
      ],
    ),
  ).toBe('ID       LABEL\nlong id  a\nb');
  expect(formatTable(['ID', 'LABEL'], [])).toBe('ID  LABEL');
});
