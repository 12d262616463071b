import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

describe('ls', () => {
  let folder: CliFolder;

  beforeAll(async () => {
    folder = await createCliFolder();
    await folder.ok('put', '--data', 'xxx', '-k', 'b', '--content-type', 'text/plain', '-a', 'host=db1');
    await folder.ok('put', '--data', 'x', '-k', 'a/2');
    await folder.ok('put', '--data', 'xx', '-k', 'a/1', '-a', 'host=db2');
  });

  afterAll(() => folder.remove());

  it.each([
    [[], ['a/1', 'a/2', 'b']],
    [['a/'], ['a/1', 'a/2']],
    [['--reverse'], ['b', 'a/2', 'a/1']],
    [
      ['--limit', '2'],
      ['a/1', 'a/2'],
    ],
    [
      ['--after', 'a/1'],
      ['a/2', 'b'],
    ],
    [
      ['--sort', 'size'],
      ['a/2', 'a/1', 'b'],
    ],
    [
      ['--sort', 'size', '--after', 'a/2'],
      ['a/1', 'b'],
    ],
    [
      ['--sort', 'modified'],
      ['b', 'a/2', 'a/1'],
    ],
    [['--content-type', 'text/plain'], ['b']],
    [['-a', 'host=db2'], ['a/1']],
    [
      ['--since', '2020-01-01'],
      ['a/1', 'a/2', 'b'],
    ],
    [['--before', '2020-01-01'], []],
  ])('%j', async (args, expected) => {
    expect((await folder.ok('ls', ...args)).split('\n').filter((line) => line !== '')).toEqual(expected);
  });

  it('shows columns, or one object a line', async () => {
    const [line] = (await folder.ok('ls', '--long')).split('\n');
    expect(line).toMatch(/^ {7}2 B {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}[0-9a-f]{12} {2}a\/1$/);
    const entries = jsonLines(await folder.ok('ls', '--json'));
    expect(entries[2]).toEqual({
      key: 'b',
      version: expect.stringMatching(/^[0-9a-f]{64}$/),
      digest: expect.stringMatching(/^blake3:[0-9a-f]{64}$/),
      root: expect.stringMatching(/^blake3:[0-9a-f]{64}$/),
      size: 3,
      chunks: 1,
      contentType: 'text/plain',
      attributes: { host: 'db1' },
      created: expect.stringMatching(/Z$/),
      modified: expect.stringMatching(/Z$/),
    });
  });
});
