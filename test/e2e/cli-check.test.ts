import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CliFolder, createCliFolder, jsonLines } from '../support/cli.ts';

let folder: CliFolder;
beforeAll(async () => {
  folder = await createCliFolder();
});
afterAll(() => folder.remove());

it('holdfast check tells of invariants by name, of all or some, and lists them', async () => {
  const listed = await folder.ok('check', '--list-invariants');
  expect(listed).toMatch(/^live-bytes +always +the live bytes of each pack/m);
  const all = jsonLines(await folder.ok('check', '--invariants', '--json'))[0]?.invariants as { name: string }[];
  for (const { name } of all) expect(listed).toContain(`\n${name} `);
  expect(await folder.ok('check', '--invariants', 'live-bytes', 'counters')).toMatch(
    /^invariant +outcome +checked\ncounters +ok .*\nlive-bytes +ok .*\nok: /,
  );
  const unknown = await folder.run(['check', '--invariants', 'nonsense']);
  expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('--list-invariants') });
});
