import { describe, expect, it } from 'vitest';
import { codeBlocks, isRunnable } from './code-blocks.ts';

const markdown = [
  'text',
  '```ts',
  "console.log('a');",
  '```',
  '- item',
  '  ```sh run same-folder',
  '  holdfast ls',
  '  ```',
  '````md',
  '```ts',
  'not a block of its own',
  '```',
  '````',
  '```js no-run',
  '…',
  '```',
  '```sh',
  'rm -rf .',
  '```',
  '',
].join('\n');

describe('the code blocks of a document', () => {
  const blocks = codeBlocks('a.md', markdown);

  it('are found with language, marks, place and unindented code', () => {
    expect(blocks.map(({ language, marks, line }) => [language, marks.join(' '), line])).toEqual([
      ['ts', '', 3],
      ['sh', 'run same-folder', 7],
      ['md', '', 10],
      ['js', 'no-run', 15],
      ['sh', '', 18],
    ]);
    expect(blocks[1]?.code).toBe('holdfast ls\n');
    expect(blocks[2]?.code).toBe('```ts\nnot a block of its own\n```\n');
  });

  it('run when they are programs, or shell blocks that ask for it', () => {
    expect(blocks.map(isRunnable)).toEqual([true, true, false, false, false]);
  });

  it('must be closed', () => {
    expect(() => codeBlocks('a.md', 'x\n```ts\n')).toThrow('a.md:2');
  });
});
