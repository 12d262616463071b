// Compiles the kernels, which are AssemblyScript (`*.as.ts`), into generated TypeScript modules beside them that hold
// the WebAssembly bytes as base64 text, so that sources, tests and dist/ load them alike and no file has to be found at
// run time. Runs by itself (`node scripts/build-kernel.mjs`) or from scripts/build.mjs.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Sources with the constant that holds the module, and its memory in pages of 64 KiB. */
const KERNELS = [
  { source: 'src/chunking/kernel/scan.as.ts', constant: 'SCAN_WASM_BASE64', pages: 1, features: [] },
  {
    source: 'src/erasure/kernel/gf.as.ts',
    constant: 'GF_WASM_BASE64',
    pages: 20,
    features: ['simd', 'relaxed-simd'],
  },
];

function optionsOf({ pages, features }) {
  return [
    ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert', '--runtime', 'stub'],
    ...['--initialMemory', String(pages), '--maximumMemory', String(pages)],
    ...features.flatMap((feature) => ['--enable', feature]),
  ];
}

/** What the output depends on: the source, the options and the compiler. */
function fingerprint(root, kernel) {
  const compiler = JSON.parse(
    readFileSync(path.join(root, 'node_modules/assemblyscript/package.json'), 'utf8'),
  ).version;
  const hash = createHash('sha256')
    .update(readFileSync(path.join(root, kernel.source)))
    .update(JSON.stringify([compiler, optionsOf(kernel)]));
  return hash.digest('hex');
}

async function compile(root, kernel) {
  const { default: asc } = await import('assemblyscript/asc');
  let wasm;
  const { error, stderr } = await asc.main([kernel.source, '--outFile', 'kernel.wasm', ...optionsOf(kernel)], {
    readFile(name, base) {
      const file = path.resolve(root, base, name);
      return existsSync(file) ? readFileSync(file, 'utf8') : null;
    },
    writeFile(name, contents) {
      if (name === 'kernel.wasm') wasm = contents;
    },
    listFiles: () => [],
  });
  if (error || !wasm) throw new Error(`${kernel.source} does not compile: ${error?.message ?? 'no output'}\n${stderr}`);
  return wasm;
}

async function buildOne(root, kernel) {
  const target = path.join(root, kernel.source.replace(/\.as\.ts$/, '.generated.ts'));
  const stamp = `// made from ${fingerprint(root, kernel)}`;
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(stamp)) return false;
  const text = Buffer.from(await compile(root, kernel)).toString('base64');
  const lines = [
    stamp,
    `/** The WebAssembly module of ${path.basename(kernel.source)} in base64; written by scripts/build-kernel.mjs. */`,
    `export const ${kernel.constant} =\n  '${text}';`,
  ];
  // A test run that starts meanwhile sees the old module or the new one, never half of it.
  const partial = `${target}.${process.pid}.tmp`;
  writeFileSync(partial, `${lines.join('\n')}\n`);
  renameSync(partial, target);
  return true;
}

/**
 * Brings the generated modules up to date; leaves alone those whose source, options and compiler are what they were made
 * from.
 * @param {string} root folder of the repository
 * @returns {Promise<boolean>} whether it compiled anything
 */
export async function buildKernels(root) {
  let compiled = false;
  for (const kernel of KERNELS) compiled = (await buildOne(root, kernel)) || compiled;
  return compiled;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildKernels(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'));
}
