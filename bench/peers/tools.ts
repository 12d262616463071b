import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { firstLine, type Tool, type ToolPaths } from './tool.ts';

const CLI = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

/** Holdfast as its users start it: a new process for every command. */
export const holdfast: Tool = {
  name: 'holdfast',
  settings: 'defaults, keys none; stored without the 16 MiB that a folder reserves for deleting when the disk is full',
  version: () => (existsSync(CLI) ? `holdfast ${firstLine(process.execPath, [CLI, '--version'])}` : undefined),
  advice: 'npm run build',
  remembers: true,
  notStored: ['.reserve'],
  init: ({ store }) => [{ command: process.execPath, args: [CLI, 'init', '--plain', store] }],
  ingest: ({ store }, file, nth) => ({
    command: process.execPath,
    args: [CLI, '-s', store, '--quiet', 'put', file, '--key', `${nth}/${path.basename(file)}`],
  }),
  restore: ({ store }, file, target) => ({
    command: process.execPath,
    args: [CLI, '-s', store, '--quiet', 'cat', `0/${path.basename(file)}`],
    stdoutFile: target,
  }),
};

const KEY_FILE = 'store.key';

function sealedEnv({ home }: ToolPaths): Readonly<Record<string, string>> {
  return { HOLDFAST_KEY_FILE: path.join(home, KEY_FILE), HOLDFAST_STATE: home };
}

/** The same with a sealed store. A key file opens it: a passphrase would add the quarter of a second it is meant to cost. */
export const sealedHoldfast: Tool = {
  ...holdfast,
  name: 'sealed',
  settings: 'defaults, a key file',
  init: ({ store, home }) => [
    {
      command: process.execPath,
      args: [CLI, 'init', '--generate-key-file', path.join(home, KEY_FILE), store],
      env: { HOLDFAST_STATE: home },
    },
  ],
  ingest: (paths, file, nth) => ({ ...holdfast.ingest(paths, file, nth), env: sealedEnv(paths) }),
  restore: (paths, file, target) => ({ ...holdfast.restore(paths, file, target), env: sealedEnv(paths) }),
};

function borgEnv({ home }: ToolPaths): Readonly<Record<string, string>> {
  return {
    BORG_BASE_DIR: home,
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
  };
}

/** Borg's files cache is off: with it a second run of an unchanged file reads nothing, and there would be nothing to compare. */
export const borg: Tool = {
  name: 'borg',
  settings: '-e none, -C zstd,1, no files cache',
  version: () => firstLine('borg', ['--version']),
  advice: 'apt-get install borgbackup',
  remembers: true,
  init: (paths) => [{ command: 'borg', args: ['init', '-e', 'none', paths.store], env: borgEnv(paths) }],
  ingest: (paths, file, nth) => ({
    command: 'borg',
    args: ['create', '-C', 'zstd,1', '--files-cache=disabled', `${paths.store}::a${nth}`, path.basename(file)],
    cwd: path.dirname(file),
    env: borgEnv(paths),
  }),
  restore: (paths, file, target) => ({
    command: 'borg',
    args: ['extract', '--stdout', `${paths.store}::a0`, path.basename(file)],
    env: borgEnv(paths),
    stdoutFile: target,
  }),
};

/** A store of the bench holds nothing secret; restic insists on a password. */
const RESTIC_ENV = { RESTIC_PASSWORD: 'bench', GOMAXPROCS: String(os.availableParallelism()) };

function restic(paths: ToolPaths, ...args: readonly string[]) {
  return { command: 'restic', args: ['-q', '-r', paths.store, '--cache-dir', paths.home, ...args], env: RESTIC_ENV };
}

/** `--force` makes restic read a file it knows, as `--files-cache=disabled` does for Borg. */
export const resticTool: Tool = {
  name: 'restic',
  settings: 'repository version 2, encrypted as always, --force',
  version: () => firstLine('restic', ['version']),
  advice: 'apt-get install restic',
  remembers: true,
  init: (paths) => [restic(paths, 'init', '--repository-version', '2')],
  ingest: (paths, file, nth) => ({
    ...restic(paths, 'backup', '--force', '--tag', `a${nth}`, path.basename(file)),
    cwd: path.dirname(file),
  }),
  // `restic dump` reads one blob after another; `restore` is its fast way, and writes the file under its own name.
  restore: (paths, _file, target) => restic(paths, 'restore', 'latest', '--target', path.dirname(target)),
};

/** The floor: nothing but compression on all cores. */
export const zstd: Tool = {
  name: 'zstd',
  settings: `-1 -T${os.availableParallelism()}, no deduplication`,
  version: () => firstLine('zstd', ['--version']),
  advice: 'apt-get install zstd',
  remembers: false,
  init: ({ store }) => [{ command: 'mkdir', args: ['-p', store] }],
  ingest: ({ store }, file, nth) => ({
    command: 'zstd',
    args: ['-q', '-1', `-T${os.availableParallelism()}`, file, '-o', path.join(store, `${nth}.zst`)],
  }),
  restore: ({ store }, _file, target) => ({
    command: 'zstd',
    args: ['-q', '-d', path.join(store, '0.zst'), '-o', target],
  }),
};

export const TOOLS: readonly Tool[] = [holdfast, borg, resticTool, zstd];
