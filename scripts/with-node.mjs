// Runs a script under the Node of the `node` dev dependency, whatever Node the shell found: a shell that has run `node`
// once remembers where it was, so `node setup && node next` would go on with the system's Node in a fresh clone.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const windows = process.platform === 'win32';
const node = path.join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node');

const done = spawnSync(node, process.argv.slice(2), { stdio: 'inherit', shell: windows });
if (done.error) throw done.error;
process.exitCode = done.status ?? 1;
