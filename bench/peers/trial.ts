import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { type ProcessResult, runProcess } from '../harness/run-process.ts';
import type { Tool } from './tool.ts';

/** One tool, one corpus, one round. */
export interface Trial {
  readonly ingest: ProcessResult;
  /** The same bytes once more; `undefined` for a tool that keeps no memory of the first. */
  readonly again: ProcessResult | undefined;
  readonly restore: ProcessResult;
  /** Files of the store after the first ingest, but those that are always there. */
  readonly storedBytes: number;
}

function bytesUnder(folder: string, leftOut: readonly string[] = []): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile() && !leftOut.includes(item.name))
    .reduce((sum, item) => sum + statSync(path.join(item.parentPath, item.name)).size, 0);
}

/**
 * Stores `file`, stores it again, restores it and compares what came back. The store is made and removed here.
 * @throws when the tool fails or gives back other bytes
 */
export async function runTrial(tool: Tool, file: string, workFolder: string): Promise<Trial> {
  const folder = path.join(workFolder, tool.name);
  const paths = { store: path.join(folder, 'store'), home: path.join(folder, 'home') };
  const out = path.join(folder, 'out');
  for (const each of [paths.home, out]) mkdirSync(each, { recursive: true });
  try {
    for (const request of tool.init(paths)) await runProcess(request);
    const ingest = await runProcess(tool.ingest(paths, file, 0));
    const storedBytes = bytesUnder(paths.store, tool.notStored);
    const again = tool.remembers ? await runProcess(tool.ingest(paths, file, 1)) : undefined;
    const target = path.join(out, path.basename(file));
    const restore = await runProcess(tool.restore(paths, file, target));
    execFileSync('cmp', [file, target]);
    return { ingest, again, restore, storedBytes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
