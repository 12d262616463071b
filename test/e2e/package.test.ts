import { readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConsumerFolder, createConsumerFolder, ROOT } from '../support/consumer-folder.ts';
import { type ProcessResult, runProcess } from '../support/run-process.ts';

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const specifiers = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => path.posix.join('holdfast', subpath));

/** A program of a user: every subpath, and a round trip through a store in the working folder. */
const PROGRAM = `
import assert from 'node:assert/strict';
import { createStore, openStore } from 'holdfast';
for (const specifier of ${JSON.stringify(specifiers)}) {
  assert.ok(Object.keys(await import(specifier)).length > 0, specifier + ' exports nothing');
}
const store = await createStore('./data', { keys: 'none' });
const put = await store.put('greeting', 'hello, consumer');
await store.close();
const again = await openStore('./data');
assert.equal(new TextDecoder().decode(await again.get('greeting')), 'hello, consumer');
assert.equal((await again.stat('greeting')).version, put.version);
await again.close();
console.log('round trip done');
`;

const TYPED_PROGRAM = `
import { createStore, type EntryInfo, type PutResult, type Store } from 'holdfast';
${specifiers.map((specifier, index) => `import * as brick${index} from '${specifier}';`).join('\n')}
export const bricks: readonly object[] = [${specifiers.map((_, index) => `brick${index}`).join(', ')}];
export async function roundTrip(): Promise<readonly [PutResult, EntryInfo, Uint8Array]> {
  await using store: Store = await createStore('memory:', { keys: 'none' });
  const put = await store.put('a', new Uint8Array([1]), { contentType: 'text/plain' });
  // @ts-expect-error a key is text
  await store.has(1);
  return [put, await store.stat('a'), await store.get('a')];
}
`;

const COMPILER_OPTIONS = {
  module: 'nodenext',
  moduleResolution: 'nodenext',
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};

function npm(args: readonly string[], cwd: string): Promise<ProcessResult> {
  // The npm that started us, under our own Node; `npm` from the path would do, but not on every platform.
  const { npm_execpath: script } = process.env;
  return script?.endsWith('.js')
    ? runProcess(process.execPath, [script, ...args], { cwd })
    : runProcess('npm', args, { cwd });
}

describe('the package', () => {
  let folder: ConsumerFolder;
  let tarball: string;
  let files: readonly string[];

  beforeAll(async () => {
    folder = await createConsumerFolder();
    const args = ['pack', ROOT, '--ignore-scripts', '--json', '--pack-destination', folder.path];
    const packed = await npm(args, folder.path);
    expect(packed.status, packed.stderr).toBe(0);
    const [report] = JSON.parse(packed.stdout);
    tarball = path.join(folder.path, report.filename);
    files = report.files.map((file: { readonly path: string }) => file.path);
    // What `npm install <tarball>` does, without a registry: unpack it and put its dependencies beside it.
    await runProcess('tar', ['-xzf', tarball], { cwd: folder.path });
    await mkdir(path.join(folder.path, 'node_modules'), { recursive: true });
    await rename(path.join(folder.path, 'package'), path.join(folder.path, 'node_modules', 'holdfast'));
    for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) await folder.link(name);
  });

  afterAll(() => folder.remove());

  it('holds the library, the licence and the list of changes', () => {
    expect(files).toEqual(
      expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js']),
    );
    expect(files).toContain(manifest.bin.holdfast);
  });

  it('holds no tests, benchmarks, sources or leftovers of the build', () => {
    const known = /^(?:dist\/.*(?:\.js|\.d\.ts)|dist\/dashboard\/index\.html(?:\.gz)?|package\.json|[A-Z]+(?:\.md)?)$/;
    const foreign = files.filter((file) => !known.test(file));
    expect(foreign).toEqual([]);
    expect(files.filter((file) => /\.test\.|\.bench\.|\.as\.|-suite\.test|\/test\//.test(file))).toEqual([]);
  });

  it('exports files that it holds, with their types', () => {
    const targets = Object.values<string | Record<string, string>>(manifest.exports)
      .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
      .map((target) => target.replace(/^\.\//, ''));
    expect(targets.filter((target) => !files.includes(target))).toEqual([]);
  });

  it('runs in the project of a user', async () => {
    const program = await folder.write('program.mjs', PROGRAM);
    const done = await runProcess(process.execPath, [program], { cwd: folder.path });
    expect(done).toMatchObject({ status: 0, stdout: 'round trip done\n' });
  });

  it('hides what it does not export', async () => {
    const program = await folder.write('hidden.mjs', "await import('holdfast/dist/limits.js');\n");
    const done = await runProcess(process.execPath, [program], { cwd: folder.path });
    expect(done.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('brings a command that tells its version', async () => {
    const command = path.join(folder.path, 'node_modules', 'holdfast', manifest.bin.holdfast);
    const done = await runProcess(process.execPath, [command, '--version'], { cwd: folder.path });
    expect(done).toMatchObject({ status: 0, stdout: `${manifest.version}\n` });
  });

  it('brings types that compile under strict settings, library checks included', async () => {
    await folder.write('consumer.ts', TYPED_PROGRAM);
    const config = { compilerOptions: COMPILER_OPTIONS, files: ['consumer.ts'] };
    await folder.write('tsconfig.json', JSON.stringify(config));
    const compiler = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const done = await runProcess(process.execPath, [compiler, '-p', '.'], { cwd: folder.path });
    expect(done).toMatchObject({ status: 0, stdout: '' });
  });
});

const network = process.env.HOLDFAST_NETWORK_TESTS === '1';
if (!network)
  console.warn('not run: npm install of the tarball from a registry (set HOLDFAST_NETWORK_TESTS=1 to run it)');

describe.skipIf(!network)('the package from a registry', () => {
  it('installs with its dependencies into an empty folder and runs', async () => {
    const folder = await createConsumerFolder();
    try {
      const packed = await npm(
        ['pack', ROOT, '--ignore-scripts', '--json', '--pack-destination', folder.path],
        folder.path,
      );
      const [{ filename }] = JSON.parse(packed.stdout);
      const installed = await npm(
        ['install', path.join(folder.path, filename), '--no-audit', '--no-fund'],
        folder.path,
      );
      expect(installed.status, installed.stderr).toBe(0);
      const program = await folder.write('program.mjs', PROGRAM);
      expect(await runProcess(process.execPath, [program], { cwd: folder.path })).toMatchObject({ status: 0 });
      const command = path.join(folder.path, 'node_modules', '.bin', 'holdfast');
      expect(await runProcess(command, ['--version'], { cwd: folder.path })).toMatchObject({
        stdout: `${manifest.version}\n`,
      });
    } finally {
      await folder.remove();
    }
  });
});
