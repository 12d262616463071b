// Brings a clean clone to where npm scripts can run: dependencies installed from the lock file, the Node of the
// `node` dev dependency in place, the library built. Runs under any Node from 18 on, so it uses nothing newer.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const windows = process.platform === 'win32';
const nodeBinary = path.join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node');

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: windows });
  if (done.error) throw done.error;
  return done.status ?? 1;
}

function fail(message) {
  process.stderr.write(`holdfast setup: ${message}\n`);
  process.exit(1);
}

/** Installs exactly what the lock file says, once per content of the lock file. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(root, 'node_modules', '.holdfast-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('holdfast setup: installing dependencies (npm ci)\n');
  if (run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']) !== 0) {
    fail('`npm ci` failed; the lines above say why. A proxy or an offline machine is the usual cause.');
  }
  writeFileSync(stamp, lock);
}

/** Holdfast needs zstd, ML-KEM and node:sqlite of Node 24.7; the `node` package brings a fitting one. */
function checkNode() {
  const probe = spawnSync(nodeBinary, ['--version'], { encoding: 'utf8', shell: windows });
  const [major = 0, minor = 0] = (probe.stdout ?? '').trim().replace(/^v/, '').split('.').map(Number);
  if (probe.status === 0 && (major > 24 || (major === 24 && minor >= 7))) return;
  // npm may have been told not to run install scripts; the binary is fetched by the package's own script then.
  if (run('npm', ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']) === 0) {
    if (spawnSync(nodeBinary, ['--version'], { shell: windows }).status === 0) return;
  }
  fail(
    'the `node` package did not bring its binary, most likely because install scripts are switched off.\n' +
      'Run `npm ci --ignore-scripts=false`, or install Node 24.7 or newer yourself.',
  );
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(full) : statSync(full).mtimeMs);
  }
  return latest;
}

function build() {
  const stamp = path.join(root, 'dist', '.built');
  const inputs = Math.max(
    ...['src', 'dashboard'].map((name) => newest(path.join(root, name))),
    ...[
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'scripts/build.mjs',
      'scripts/build-dashboard.mjs',
      'scripts/build-kernel.mjs',
      'scripts/build-library.mjs',
    ].map((name) => statSync(path.join(root, name)).mtimeMs),
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= inputs) return;
  process.stderr.write('holdfast setup: building\n');
  if (run(nodeBinary, [path.join(root, 'scripts', 'build.mjs')]) !== 0)
    fail('the build failed; the lines above say why.');
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, '');
}

install();
checkNode();
if (!process.argv.includes('--no-build')) build();
