import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { runProcess } from '../harness/run-process.ts';

/** What lies in a folder now. */
export interface FolderUse {
  readonly files: number;
  readonly bytes: number;
}

export function folderUse(folder: string): FolderUse {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((item) => item.isFile());
  const bytes = found.reduce((sum, item) => sum + statSync(path.join(item.parentPath, item.name)).size, 0);
  return { files: found.length, bytes };
}

const COMMAND = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

/** One `holdfast gc` of a plain store, in a process of its own: nothing of what the bench holds is in its figures. */
export function collect(store: string): ReturnType<typeof runProcess> {
  return runProcess({ command: process.execPath, args: [COMMAND, '-s', store, 'gc', '--quiet', '--no-progress'] });
}
