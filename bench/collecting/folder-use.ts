import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

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
