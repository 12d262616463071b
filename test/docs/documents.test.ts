import { existsSync, globSync, readFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relayCommand } from '../support/cli-relay.ts';
import { type ConsumerFolder, createConsumerFolder, ROOT } from '../support/consumer-folder.ts';
import { pointsOf, SAMPLE } from '../support/points.ts';
import { type ProcessResult, runProcess } from '../support/run-process.ts';
import { type CodeBlock, codeBlocks, isRunnable } from './code-blocks.ts';

const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: ROOT })]
  .map((file) => file.split(path.sep).join('/'))
  .filter((file) => !file.startsWith('docs/api/') && existsSync(path.join(ROOT, file)))
  .sort();

const texts = new Map(documents.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));
const blocks = documents.flatMap((file) => codeBlocks(file, texts.get(file) ?? '')).filter(isRunnable);

/** Blocks that share a folder depend on each other. */
const groups = blocks.reduce<CodeBlock[][]>((found, block) => {
  if (block.marks.includes('same-folder')) found.at(-1)?.push(block);
  else found.push([block]);
  return found;
}, []);
/** Of the documents a run tries every third group of blocks, of the README all. */
const others = groups.filter(([first]) => first?.document !== 'README.md');
const tried = pointsOf(others.length, 0, Math.ceil(others.length / 3)).flatMap((point) => others[point] ?? []);
const running = blocks.filter((block) => block.document === 'README.md' || tried.includes(block));

/** Its blocks start the command as a user does. Those of other documents have it run by a process that is kept. */
const STARTING = 'README.md';

let folder: ConsumerFolder;
let endRelay: () => Promise<void>;

beforeAll(async () => {
  folder = await createConsumerFolder();
  await folder.link('holdfast', ROOT);
  await folder.link('@types/node');
  const command = await folder.write(
    'bin/holdfast',
    `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/dist/cli/main.js" "$@"\n`,
  );
  await chmod(command, 0o755);
  endRelay = await relayCommand(folder);
});

afterAll(async () => {
  await endRelay();
  await folder.remove();
});

/** Where a block runs: a folder of its own, or that of the block before it. */
function workingFolder(block: CodeBlock): string {
  let index = blocks.indexOf(block);
  while (index > 0 && blocks[index]?.marks.includes('same-folder')) index -= 1;
  return `run-${index}`;
}

async function runBlock(block: CodeBlock): Promise<ProcessResult> {
  const isShell = ['sh', 'bash'].includes(block.language);
  const name = `${workingFolder(block)}/block-${block.line}.${isShell ? 'sh' : block.language}`;
  const file = await folder.write(name, block.code);
  const cwd = path.dirname(file);
  await mkdir(cwd, { recursive: true });
  const env = {
    ...process.env,
    PATH: [path.join(folder.path, block.document === STARTING ? 'bin' : 'relayed'), process.env.PATH].join(
      path.delimiter,
    ),
    HOLDFAST_STORE: undefined,
    HOLDFAST_STATE: `${folder.path}/state`,
  };
  return isShell ? runProcess('bash', ['-eu', file], { cwd, env }) : runProcess(process.execPath, [file], { cwd, env });
}

describe(`the runnable blocks of the documents (${SAMPLE})`, () => {
  it.each(running.map((block) => [`${block.document}:${block.line}`, block] as const))('runs: %s', async (_, block) => {
    const done = await runBlock(block);
    expect(done.status, `${done.stdout}${done.stderr}`).toBe(0);
  });

  it('compiles where it is TypeScript', async () => {
    const typed = blocks.filter(({ language }) => language === 'ts');
    const names = await Promise.all(typed.map((block, index) => writeTyped(block, index)));
    const compilerOptions = {
      module: 'nodenext',
      moduleDetection: 'force',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      types: ['node'],
      strict: true,
      // Those of the library are checked by the tests of the package.
      skipLibCheck: true,
      noEmit: true,
    };
    await folder.write('typed/tsconfig.json', JSON.stringify({ compilerOptions, files: names }));
    const compiler = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const done = await runProcess(process.execPath, [compiler, '-p', '.'], { cwd: path.join(folder.path, 'typed') });
    expect(done.stdout).toBe('');
    expect(done.status).toBe(0);
  });
});

async function writeTyped(block: CodeBlock, index: number): Promise<string> {
  const name = `${index}-${path.posix.basename(block.document, '.md')}-${block.line}.ts`;
  await folder.write(`typed/${name}`, block.code);
  return name;
}

/** The anchor a heading gets: lower case, punctuation gone, spaces as hyphens. */
function anchorOf(heading: string): string {
  const plain = heading.replace(/[^\p{L}\p{N}\s_-]/gu, '');
  return plain.trim().toLowerCase().replace(/\s/g, '-');
}

function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

describe('every link inside the repository', () => {
  const links = documents.flatMap((document) =>
    [...(texts.get(document) ?? '').matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].map(([, link = '']) => ({ document, link })),
  );

  it('leads to a file and a heading that are there', () => {
    const dead = links.filter(({ document, link }) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? document : path.posix.join(path.posix.dirname(document), file);
      if (!existsSync(path.join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(path.join(ROOT, target), 'utf8')).includes(anchor);
    });
    expect(dead).toEqual([]);
  });
});
