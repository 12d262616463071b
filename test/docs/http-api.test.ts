/** Every curl of `docs/http-api.md` does what the document says it does. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { demoRoutes } from '../../src/server/routes/demo.ts';
import { ROUTES } from '../../src/server/routes/routes.ts';
import { makeTemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { ROOT } from '../support/consumer-folder.ts';
import { runProcess } from '../support/run-process.ts';
import { serveStore } from '../support/served-store.ts';
import { codeBlocks } from './code-blocks.ts';

const NAME = 'docs/http-api.md';
const markdown = readFileSync(path.join(ROOT, NAME), 'utf8');

describe('docs/http-api.md', () => {
  it('has commands that work, one after the other', async () => {
    const folder = await makeTemporaryFolder();
    await using served = await serveStore({ uploads: { folder: path.join(folder.path, 'unfinished') } });
    await served.store.versions.setPolicy({ last: 10 });
    try {
      const blocks = codeBlocks(NAME, markdown).filter(({ language }) => language === 'sh');
      expect(blocks.length).toBeGreaterThan(4);
      const script = blocks.map(({ code }) => code).join('\n');
      const failing = script.replaceAll('curl -sS', 'curl --fail -sS').replaceAll('http://127.0.0.1:7070', served.url);
      const settings = { cwd: folder.path, env: process.env, input: '' };
      const done = await runProcess('bash', ['-e', '-u', '-o', 'pipefail', '-c', failing], settings);
      expect(done).toMatchObject({ status: 0, stderr: '' });
      const keys = await Array.fromAsync(served.store.list(), ({ key }) => key);
      expect(keys.slice(0, 7)).toEqual([
        'a/b.txt',
        'a/c.txt',
        'a/checked.txt',
        'back.txt',
        'batch/1',
        'batch/2',
        'batch/4',
      ]);
      expect(Buffer.from(await served.store.get('v.txt')).toString()).toBe('v1');
    } finally {
      await folder.remove();
    }
  });

  it('names every route', () => {
    const named = (route: string) => new RegExp(route.replaceAll(/\{[a-z]+\}/g, '[^\\s?]+')).test(markdown);
    const demo = demoRoutes({ list: () => [], break: async () => undefined, mend: async () => undefined });
    const missing = [...ROUTES, ...demo].map(({ spec }) => spec.path).filter((route) => !named(route));
    expect(missing).toEqual([]);
  });
});
