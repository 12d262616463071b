// Builds dist/: first the WASM kernels as generated TypeScript modules, then the types with tsc, the library, the dashboard.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDashboard } from './build-dashboard.mjs';
import { buildKernels } from './build-kernel.mjs';
import { buildLibrary } from './build-library.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

await buildKernels(root);
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
  {
    cwd: root,
    stdio: ['ignore', 2, 2],
  },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
await buildLibrary(root);
chmodSync(path.join(root, 'dist/cli/main.js'), 0o755);
await buildDashboard(root);
