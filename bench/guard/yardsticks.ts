import path from 'node:path';
import type { ProcessRequest } from '../harness/run-process.ts';
import { firstLine } from '../peers/tool.ts';

/** What workloads are measured by: plain compression in one thread, and plain copies. */
export interface Yardsticks {
  /** The key in the baseline. */
  readonly name: 'programs' | 'node';
  readonly version: string;
  compress(source: string, target: string): ProcessRequest;
  decompress(source: string, target: string): ProcessRequest;
  /** Of a folder with all in it; by programs six times. */
  copy(source: string, target: string): ProcessRequest;
}

/** `cp` is done with one folder sooner than its processor time can be read. */
const COPIES = 'for each in 1 2 3 4 5 6; do cp -r "$0" "$1$each" || exit 1; done';
const SCRIPT = path.join(import.meta.dirname, 'yardstick.mjs');

function node(what: string, source: string, target: string): ProcessRequest {
  return { command: process.execPath, args: [SCRIPT, what, source, target] };
}

const ofNode: Yardsticks = {
  name: 'node',
  version: `Node ${process.version}, zstd ${process.versions.zstd}`,
  compress: (source, target) => node('compress', source, target),
  decompress: (source, target) => node('decompress', source, target),
  copy: (source, target) => node('copy', source, target),
};

/** @returns the programs where they are installed, and Node's own everywhere */
export function findYardsticks(): readonly Yardsticks[] {
  const zstd = firstLine('zstd', ['--version']);
  const cp = firstLine('cp', ['--version']);
  if (zstd === undefined || cp === undefined) return [ofNode];
  const programs: Yardsticks = {
    name: 'programs',
    version: `${zstd}; ${cp}`,
    compress: (source, target) => ({ command: 'zstd', args: ['-q', '-1', '-T1', source, '-o', target] }),
    decompress: (source, target) => ({ command: 'zstd', args: ['-q', '-d', source, '-o', target] }),
    copy: (source, target) => ({ command: 'sh', args: ['-c', COPIES, source, target] }),
  };
  return [programs, ofNode];
}
