// Compiles src/chunking/kernel/scan.as.ts with AssemblyScript into src/chunking/kernel/scan.generated.ts, a TypeScript
// module that holds the WebAssembly bytes as base64 text, so that sources, tests and dist/ load it alike and no file has
// to be found at run time. Runs by itself (`node scripts/build-kernel.mjs`) or from scripts/build.mjs.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const SOURCE = 'src/chunking/kernel/scan.as.ts';
const TARGET = 'src/chunking/kernel/scan.generated.ts';
const OPTIONS = [
  '--optimizeLevel',
  '3',
  '--shrinkLevel',
  '0',
  '--noAssert',
  '--runtime',
  'stub',
  '--initialMemory',
  '1',
  '--maximumMemory',
  '1',
];

/** What the output depends on: the source, the options and the compiler. */
function fingerprint(root) {
  const compiler = JSON.parse(
    readFileSync(path.join(root, 'node_modules/assemblyscript/package.json'), 'utf8'),
  ).version;
  const hash = createHash('sha256')
    .update(readFileSync(path.join(root, SOURCE)))
    .update(JSON.stringify([compiler, OPTIONS]));
  return hash.digest('hex');
}

async function compile(root) {
  const { default: asc } = await import('assemblyscript/asc');
  let wasm;
  const { error, stderr } = await asc.main([SOURCE, '--outFile', 'scan.wasm', ...OPTIONS], {
    readFile(name, base) {
      const file = path.resolve(root, base, name);
      return existsSync(file) ? readFileSync(file, 'utf8') : null;
    },
    writeFile(name, contents) {
      if (name === 'scan.wasm') wasm = contents;
    },
    listFiles: () => [],
  });
  if (error || !wasm)
    throw new Error(`the chunking kernel does not compile: ${error?.message ?? 'no output'}\n${stderr}`);
  return wasm;
}

/**
 * Brings the generated module up to date; does nothing when source, options and compiler are those it was made from.
 * @param {string} root folder of the repository
 * @returns {Promise<boolean>} whether it compiled
 */
export async function buildKernel(root) {
  const target = path.join(root, TARGET);
  const stamp = `// made from ${fingerprint(root)}`;
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(stamp)) return false;
  const text = Buffer.from(await compile(root)).toString('base64');
  const lines = [
    stamp,
    `/** The WebAssembly module of ${path.basename(SOURCE)} in base64; written by scripts/build-kernel.mjs. */`,
    `export const SCAN_WASM_BASE64 =\n  '${text}';`,
  ];
  // A test run that starts meanwhile sees the old module or the new one, never half of it.
  const partial = `${target}.${process.pid}.tmp`;
  writeFileSync(partial, `${lines.join('\n')}\n`);
  renameSync(partial, target);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildKernel(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'));
}
