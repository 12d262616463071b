/** Programs that keep a folder as it was, as command lines: first, again, restore. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ProcessRequest } from '../harness/run-process.ts';
import { firstLine, type ToolPaths } from './tool.ts';

const CLI = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface FolderTool {
  readonly name: string;
  readonly settings: string;
  version(): string | undefined;
  readonly advice: string;
  init(paths: ToolPaths): readonly ProcessRequest[];
  /** Takes a snapshot of the folder; every later one with all that the tool remembers. */
  snapshot(paths: ToolPaths, folder: string, nth: number): ProcessRequest;
  /** Restores the first snapshot. @returns the request, and the folder that then is what `folder` was */
  restore(
    paths: ToolPaths,
    folder: string,
    target: string,
  ): { readonly request: ProcessRequest; readonly restored: string };
}

function holdfast(paths: ToolPaths, ...args: readonly string[]): ProcessRequest {
  const env = { HOLDFAST_STATE: paths.home, HOLDFAST_KEY_FILE: path.join(paths.home, 'store.key') };
  return { command: process.execPath, args: [CLI, ...args], env };
}

const holdfastTool: FolderTool = {
  name: 'holdfast',
  settings: 'defaults: sealed, a key file',
  version: () => (existsSync(CLI) ? `holdfast ${firstLine(process.execPath, [CLI, '--version'])}` : undefined),
  advice: 'npm run build',
  init: (paths) => [
    {
      command: process.execPath,
      args: [CLI, 'init', '--generate-key-file', path.join(paths.home, 'store.key'), paths.store],
      env: { HOLDFAST_STATE: paths.home },
    },
  ],
  snapshot: (paths, folder) =>
    holdfast(paths, '-s', paths.store, '--quiet', 'snapshot', 'create', folder, '--ref', 'bench'),
  restore: (paths, _folder, target) => ({
    request: holdfast(
      paths,
      '-s',
      paths.store,
      '--quiet',
      'snapshot',
      'restore',
      'bench',
      '--to',
      target,
      '--sync',
      'none',
    ),
    restored: target,
  }),
};

function borgEnv({ home }: ToolPaths): Readonly<Record<string, string>> {
  return { BORG_BASE_DIR: home, BORG_PASSPHRASE: 'bench', BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes' };
}

const borgTool: FolderTool = {
  name: 'borg',
  settings: '-e repokey-blake2, -C zstd,1',
  version: () => firstLine('borg', ['--version']),
  advice: 'apt-get install borgbackup',
  init: (paths) => [{ command: 'borg', args: ['init', '-e', 'repokey-blake2', paths.store], env: borgEnv(paths) }],
  snapshot: (paths, folder, nth) => ({
    command: 'borg',
    args: ['create', '-C', 'zstd,1', `${paths.store}::a${nth}`, path.basename(folder)],
    cwd: path.dirname(folder),
    env: borgEnv(paths),
  }),
  restore: (paths, folder, target) => ({
    request: { command: 'borg', args: ['extract', `${paths.store}::a0`], cwd: target, env: borgEnv(paths) },
    restored: path.join(target, path.basename(folder)),
  }),
};

function restic(paths: ToolPaths, ...args: readonly string[]): ProcessRequest {
  const env = { RESTIC_PASSWORD: 'bench' };
  return { command: 'restic', args: ['-q', '-r', paths.store, '--cache-dir', paths.home, ...args], env };
}

const resticTool: FolderTool = {
  name: 'restic',
  settings: 'version 2, encrypted as always',
  version: () => firstLine('restic', ['version']),
  advice: 'apt-get install restic',
  init: (paths) => [restic(paths, 'init', '--repository-version', '2')],
  snapshot: (paths, folder) => ({ ...restic(paths, 'backup', path.basename(folder)), cwd: path.dirname(folder) }),
  restore: (paths, folder, target) => ({
    request: restic(paths, 'restore', 'latest', '--target', target),
    restored: path.join(target, path.basename(folder)),
  }),
};

export const FOLDER_TOOLS: readonly FolderTool[] = [holdfastTool, borgTool, resticTool];
