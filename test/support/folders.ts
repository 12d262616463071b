import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  formatTimeNs,
  type RestoreItem,
  readScannedFile,
  type ScanItem,
  type ScanOptions,
  scanFolder,
} from '../../src/folders/index.ts';
import { storableTimeNs } from '../../src/runtime/folder-system.ts';
import { seededRandom } from '../../src/testing/index.ts';

/** What a walk of our own, sharing nothing with the product, says of one path. */
export interface Fact {
  readonly type: string;
  readonly mode?: number;
  readonly mtimeNs: bigint;
  readonly content?: string;
  /** Paths of all names of the file, where it has several below the root. */
  readonly names?: readonly string[];
}

function walkSync(root: string, relative: Buffer, visit: (relative: Buffer, stats: fs.BigIntStats) => void): void {
  const absolute = relative.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), relative]);
  const stats = fs.lstatSync(absolute, { bigint: true });
  visit(relative, stats);
  if (!stats.isDirectory()) return;
  for (const name of fs.readdirSync(absolute, { encoding: 'buffer' })) {
    walkSync(root, relative.length === 0 ? name : Buffer.concat([relative, Buffer.from('/'), name]), visit);
  }
}

/** Everything below a folder, by path as text of one character per byte. */
export function factsOf(root: string): Map<string, Fact> {
  const groups = new Map<string, string[]>();
  walkSync(root, Buffer.alloc(0), (relative, stats) => {
    const group = groups.get(`${stats.dev}:${stats.ino}`) ?? [];
    group.push(relative.toString('latin1'));
    groups.set(`${stats.dev}:${stats.ino}`, group.sort());
  });
  const facts = new Map<string, Fact>();
  walkSync(root, Buffer.alloc(0), (relative, stats) => {
    const absolute = Buffer.concat([Buffer.from(`${root}/`), relative]);
    const names = groups.get(`${stats.dev}:${stats.ino}`) ?? [];
    const mode = Number(stats.mode & 0o7777n);
    const { mtimeNs } = stats;
    const key = relative.toString('latin1');
    if (stats.isDirectory()) facts.set(key, { type: 'folder', mode, mtimeNs });
    else if (stats.isSymbolicLink()) {
      facts.set(key, { type: 'link', mtimeNs, content: fs.readlinkSync(absolute, { encoding: 'latin1' }) });
    } else if (stats.isFile()) {
      const content = createHash('sha256').update(fs.readFileSync(absolute)).digest('hex');
      facts.set(key, { type: 'file', mode, mtimeNs, content, ...(names.length > 1 && { names }) });
    } else facts.set(key, { type: 'special', mtimeNs });
  });
  return facts;
}

/** Times as Node can set them, in microseconds. */
export function withoutNanoseconds(facts: ReadonlyMap<string, Fact>): Map<string, Fact> {
  const rounded = [...facts].map(([key, fact]): [string, Fact] => [
    key,
    { ...fact, mtimeNs: (storableTimeNs(fact.mtimeNs) + 500n) / 1000n },
  ]);
  return new Map(rounded.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sets the time of a path itself, in microseconds that come back exactly. */
export function setTime(file: string | Buffer, seconds: number): void {
  fs.lutimesSync(file, seconds, seconds);
}

function at(root: string, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name as string)]);
}

/** Names that programs trip over, all legal on Linux. */
export const ODD_NAMES: readonly (string | Buffer)[] = [
  'new\nline',
  '"quotes" and \'more\'',
  ' spaces ',
  '-rf',
  '...',
  'back\\slash',
  'colon:star*?',
  'é composed',
  'e\u0301 decomposed',
  '🦊'.repeat(20),
  Buffer.from([0xff, 0xfe, 0x41]),
  Buffer.from([0x80]),
  'x'.repeat(255),
];

/** One of everything that a file system holds, apart from what needs devices. */
export function craftFolder(root: string, seed = 1): void {
  const random = seededRandom(seed);
  fs.mkdirSync(path.join(root, 'empty'));
  fs.mkdirSync(path.join(root, 'deep/er/still'), { recursive: true });
  fs.mkdirSync(at(root, Buffer.from([0x64, 0xff])));
  for (const name of ODD_NAMES) fs.writeFileSync(at(root, name), random.bytes(random.integer(2000)));
  fs.writeFileSync(at(root, Buffer.from([0x64, 0xff, 0x2f, 0xc3])), 'in a folder that is not text');
  fs.writeFileSync(path.join(root, 'large'), random.bytes(3_000_001));
  fs.writeFileSync(path.join(root, 'nothing'), '');
  fs.linkSync(path.join(root, 'large'), path.join(root, 'deep/again'));
  fs.linkSync(path.join(root, 'large'), path.join(root, 'a-first-name'));
  for (const [name, target] of [
    ['inside', 'large'],
    ['outside', '/etc/passwd'],
    ['dangling', '../../no/such'],
    ['to-folder', 'deep'],
    ['loop', 'loop'],
  ] as const) {
    fs.symlinkSync(target, path.join(root, `link-${name}`));
  }
  fs.symlinkSync(Buffer.from([0xfe, 0xff]), path.join(root, 'link-bytes'));
  const sparse = fs.openSync(path.join(root, 'sparse'), 'w');
  fs.writeSync(sparse, 'data', 5_000_000);
  fs.ftruncateSync(sparse, 20_000_001);
  fs.closeSync(sparse);
  fs.chmodSync(path.join(root, 'nothing'), 0o000);
  fs.writeFileSync(path.join(root, 'program'), 'runs as its owner');
  fs.chmodSync(path.join(root, 'program'), 0o4755);
  fs.chmodSync(path.join(root, 'deep/er'), 0o1777);
  fs.chmodSync(path.join(root, 'empty'), 0o500);
  setTime(path.join(root, 'large'), 1_234_567_890.123457);
  setTime(path.join(root, 'link-outside'), 1_000_000_000.5);
  setTime(path.join(root, 'program'), 0);
  setTime(path.join(root, 'deep/er/still'), 946_684_800.25);
  setTime(path.join(root, 'deep'), 946_684_801);
  setTime(root, 1_500_000_000.75);
}

export async function scanned(root: string, options?: ScanOptions): Promise<ScanItem[]> {
  return (await Array.fromAsync(scanFolder(root, options))).flat();
}

function components(relative: Buffer): Buffer[] {
  if (relative.length === 0) return [];
  return relative
    .toString('latin1')
    .split('/')
    .map((one) => Buffer.from(one, 'latin1'));
}

/** What a scan found as items to restore, as a snapshot would give them back. */
export function itemsOf(root: string, found: readonly ScanItem[]): RestoreItem[] {
  const firsts = new Map<string, Buffer>();
  return found.flatMap((item): RestoreItem[] => {
    if (item.kind !== 'enter' && item.kind !== 'file' && item.kind !== 'link') return [];
    const { node } = item;
    const facts = { path: components(node.path), mode: node.mode, mtime: formatTimeNs(node.mtimeNs) };
    if (item.kind === 'enter') return [{ ...facts, type: 'folder' }];
    if (item.kind === 'link') return [{ ...facts, type: 'link', target: item.target }];
    const group = `${node.dev}:${node.ino}`;
    const first = node.nlink > 1 ? firsts.get(group) : undefined;
    if (node.nlink > 1 && !first) firsts.set(group, node.path);
    const content = () => readScannedFile(root, node);
    const same = first && { sameAs: components(first) };
    return [{ ...facts, type: 'file', size: node.size, content, sparse: node.sparse, ...same }];
  });
}
