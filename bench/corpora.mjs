// Fetches real data for the benches, with the ordinary clients of npm and Debian. Nothing is fetched twice.
//   typescript  eleven releases of one npm package: 366 MB as a tarball, many versions of the same files
//   linux       the kernel source of Debian's package linux-source-6.1: 1.36 GB as a tarball, 79,000 files as a folder
//   random      1 GiB of random bytes: nothing to deduplicate, nothing to compress
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

const TYPESCRIPT_RELEASES = [
  '4.9.5',
  '5.0.4',
  '5.1.6',
  '5.2.2',
  '5.3.3',
  '5.4.5',
  '5.5.4',
  '5.6.3',
  '5.7.3',
  '5.8.3',
  '5.9.2',
];
const LINUX_PACKAGE = 'linux-source-6.1';
const RANDOM_MIB = 1024;
const MIB = 2 ** 20;

function run(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (done.error?.code === 'ENOENT') throw new Error(`this corpus needs \`${command}\`, which is not installed`);
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` ended with status ${done.status}`);
  return done.stdout;
}

/** Packs a folder so that the tarball has its name only when it is whole; sorted, so that every machine cuts it alike. */
function pack(folder, name) {
  run('tar', ['--sort=name', '-cf', `${name}.tar.part`, name], folder);
  renameSync(path.join(folder, `${name}.tar.part`), path.join(folder, `${name}.tar`));
}

function fetchTypescript(folder) {
  const target = path.join(folder, 'typescript');
  mkdirSync(target, { recursive: true });
  for (const release of TYPESCRIPT_RELEASES) {
    if (existsSync(path.join(target, `v${release}`))) continue;
    const tarball = run('npm', ['pack', `typescript@${release}`, '--silent'], folder)
      .trim()
      .split('\n')
      .at(-1);
    const part = path.join(folder, `.v${release}`);
    mkdirSync(part, { recursive: true });
    run('tar', ['-xzf', path.join(folder, tarball), '-C', part]);
    renameSync(part, path.join(target, `v${release}`));
    rmSync(path.join(folder, tarball));
  }
  pack(folder, 'typescript');
}

function fetchLinux(folder) {
  run('apt-get', ['download', '-qq', LINUX_PACKAGE], folder);
  const deb = readdirSync(folder).find((name) => name.startsWith(`${LINUX_PACKAGE}_`) && name.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt-get left no ${LINUX_PACKAGE}_*.deb; run \`apt-get update\` first`);
  const unpacked = path.join(folder, '.deb');
  run('dpkg', ['-x', deb, unpacked], folder);
  const target = path.join(folder, 'linux');
  mkdirSync(target, { recursive: true });
  run('tar', ['-xJf', path.join(unpacked, 'usr/src', `${LINUX_PACKAGE}.tar.xz`), '-C', target]);
  rmSync(unpacked, { recursive: true });
  rmSync(path.join(folder, deb));
  pack(folder, 'linux');
}

function makeRandom(folder) {
  const file = path.join(folder, 'random.bin');
  const handle = openSync(`${file}.part`, 'w');
  const bytes = new Uint8Array(MIB);
  for (let mebibyte = 0; mebibyte < RANDOM_MIB; mebibyte += 1) writeSync(handle, randomFillSync(bytes));
  closeSync(handle);
  renameSync(`${file}.part`, file);
}

const CORPORA = {
  typescript: { file: 'typescript.tar', make: fetchTypescript },
  linux: { file: 'linux.tar', make: fetchLinux },
  random: { file: 'random.bin', make: makeRandom },
};

const [folder, ...asked] = process.argv.slice(2);
const names = asked.length > 0 ? asked : Object.keys(CORPORA);
const unknown = names.filter((name) => !Object.hasOwn(CORPORA, name));
if (folder === undefined || unknown.length > 0) {
  process.stderr.write(`Usage: node bench/corpora.mjs FOLDER [${Object.keys(CORPORA).join('|')}]...\n`);
  process.exit(2);
}
const target = path.resolve(folder);
mkdirSync(target, { recursive: true });
for (const name of names) {
  const { file, make } = CORPORA[name];
  if (!existsSync(path.join(target, file))) make(target);
  process.stderr.write(`${path.join(target, file)} ready\n`);
}
