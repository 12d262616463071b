import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import type { KeepVersions, PutOptions, Source } from '../../index.ts';
import { compileGlob } from '../files/glob.ts';
import { sourceName, withPrefix } from '../files/source-name.ts';
import { type Found, walk } from '../files/walk.ts';
import { usageError } from '../usage-error.ts';

/** Options of `put` as commander hands them over. */
export interface PutFlags {
  readonly key?: string;
  readonly prefix?: string;
  readonly name?: 'path' | 'digest' | 'uuid';
  readonly data?: string;
  readonly contentType?: string;
  readonly attribute?: Readonly<Record<string, string>>;
  readonly chunking?: string;
  readonly ifAbsent?: boolean;
  readonly ifMatch?: string;
  readonly verifyExisting?: boolean;
  readonly isolated?: boolean;
  readonly redundancy?: string;
  readonly dryRun?: boolean;
  readonly exclude?: readonly string[];
  readonly follow?: boolean;
  readonly keepVersions?: KeepVersions;
  readonly parentEntry?: string;
  readonly child?: readonly string[];
}

/** Something to put; `path` is what messages call it. */
export interface PutInput {
  readonly kind: 'put';
  readonly path: string;
  /** `null`: named by its digest or a UUID. */
  readonly key: string | null;
  /** Bytes it will be, or `undefined` where only reading tells. */
  countBytes(): Promise<number | undefined>;
  /** Whether `path` is a regular file whose content it is. */
  readonly isFile: boolean;
  /** Opens the content; called at most once. */
  open(): Source;
}

export type Input = PutInput | Exclude<Found, { kind: 'file' }>;

interface Root {
  readonly path: string;
  readonly name: string;
}

/** A checked command line of `put`. */
export interface PutPlan {
  readonly roots: readonly Root[];
  readonly flags: PutFlags;
  /** Whether one of the paths is a folder: then a summary is printed instead of every entry. */
  readonly hasFolder: boolean;
  readonly options: Omit<PutOptions, 'signal' | 'onProgress'>;
}

/** Stands for standard input among the paths; `./-` is a file of that name. */
export const STDIN_PATH = '-';
const DATA_PATH = '--data';

function checkFlags(paths: readonly string[], flags: PutFlags): void {
  if (flags.data !== undefined && paths.length > 0)
    throw usageError('--data takes the place of paths; give one of both');
  if (flags.data === undefined && paths.length === 0)
    throw usageError('nothing to put: name files or folders, - or --data TEXT');
  if (flags.key !== undefined && paths.length > 1)
    throw usageError('--key names one file or folder; several need --prefix');
  if (flags.key !== undefined && flags.name !== undefined) throw usageError('--key and --name exclude each other');
  if (paths.filter((name) => name === STDIN_PATH).length > 1) throw usageError('standard input can be read only once');
  if (flags.ifAbsent && flags.ifMatch !== undefined) throw usageError('--if-absent and --if-match exclude each other');
  const named = flags.name === undefined || flags.name === 'path';
  const nameless = !named || flags.data !== undefined || paths.includes(STDIN_PATH);
  if (flags.prefix && nameless && flags.key === undefined)
    throw usageError('--prefix needs names: give --key KEY as well');
}

function rootOf(path: string, flags: PutFlags): Root {
  if (path === STDIN_PATH || path === DATA_PATH) return { path, name: flags.key ?? '' };
  // Names that come from the content need none of the path, so any path will do.
  if (flags.name === 'digest' || flags.name === 'uuid') return { path, name: path };
  return { path, name: flags.key ?? sourceName(path) };
}

function checkNames(roots: readonly Root[]): void {
  const seen = new Map<string, string>();
  for (const { path, name } of roots) {
    const other = seen.get(name);
    if (other !== undefined && path !== STDIN_PATH)
      throw usageError(`${other} and ${path} would both be called "${name}"`);
    seen.set(name, path);
  }
}

async function isFolder(path: string): Promise<boolean> {
  // What cannot be looked at is told by the walk, as one failure among the results.
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

function relationsOf({ parentEntry, child }: PutFlags): Pick<PutOptions, 'relations'> {
  if (parentEntry === undefined && child === undefined) return {};
  return {
    relations: { ...(parentEntry !== undefined && { parent: parentEntry }), ...(child && { children: child }) },
  };
}

function putOptions(flags: PutFlags): PutPlan['options'] {
  const { contentType, attribute, chunking, ifAbsent, ifMatch, verifyExisting, isolated, redundancy, name } = flags;
  return {
    ...(contentType !== undefined && { contentType }),
    ...(attribute && { attributes: attribute }),
    ...(chunking !== undefined && { chunking }),
    ...(ifAbsent && { ifAbsent }),
    ...(ifMatch !== undefined && { ifMatch }),
    ...(verifyExisting && { verifyExisting }),
    ...(isolated && { isolation: 'entry' as const }),
    ...(redundancy !== undefined && { redundancy }),
    ...(name === 'uuid' && { name }),
    ...(flags.keepVersions !== undefined && { keepVersions: flags.keepVersions }),
    ...relationsOf(flags),
  };
}

/** Checks a command line of `put` before anything is read or opened. @throws a usage error for what cannot be meant */
export async function planPut(paths: readonly string[], flags: PutFlags): Promise<PutPlan> {
  checkFlags(paths, flags);
  const roots = (flags.data === undefined ? paths : [DATA_PATH]).map((path) => rootOf(path, flags));
  checkNames(roots);
  const folders = await Promise.all(roots.map(({ path }) => (path === STDIN_PATH ? false : isFolder(path))));
  const hasFolder = flags.data === undefined && folders.includes(true);
  if (flags.ifMatch !== undefined && (hasFolder || roots.length > 1)) {
    throw usageError('--if-match is about one version of one entry; put one file at a time');
  }
  if (flags.child !== undefined && (hasFolder || roots.length > 1)) {
    throw usageError('--child gives children to one entry; put one file at a time');
  }
  return { roots, flags, hasFolder, options: putOptions(flags) };
}

async function sizeOf(file: string): Promise<number> {
  // What is gone by now is told by the put itself.
  const found = await stat(file).catch(() => undefined);
  return found?.size ?? 0;
}

function fileInput(found: Extract<Found, { kind: 'file' }>, key: string | null, signal: AbortSignal): PutInput {
  const { path, regular } = found;
  return {
    kind: 'put',
    path,
    key,
    isFile: regular,
    countBytes: async () => (regular ? sizeOf(path) : undefined),
    open: () => (regular ? { path } : createReadStream(path, { signal })),
  };
}

function streamInput(path: string, flags: PutFlags, signal: AbortSignal): PutInput {
  const { data, key, prefix } = flags;
  return {
    kind: 'put',
    path,
    key: key === undefined ? null : withPrefix(prefix, key),
    isFile: false,
    countBytes: async () => (data === undefined ? undefined : Buffer.byteLength(data)),
    open: () => data ?? addAbortSignal(signal, process.stdin),
  };
}

/** Everything a plan means, one input at a time, in order. @param context.avoid real path of the store */
export async function* inputsOf(
  plan: PutPlan,
  context: { readonly signal: AbortSignal; readonly avoid?: string | undefined },
): AsyncGenerator<Input, void, undefined> {
  const { flags } = plan;
  const { signal, avoid } = context;
  const excludes = (flags.exclude ?? []).map((pattern) => compileGlob(pattern));
  const nameless = flags.name === 'digest' || flags.name === 'uuid';
  for (const root of plan.roots) {
    if (root.path === STDIN_PATH || root.path === DATA_PATH) {
      yield streamInput(root.path, flags, signal);
      continue;
    }
    for await (const found of walk(root, { follow: flags.follow === true, excludes, avoid, signal })) {
      if (found.kind !== 'file') yield found;
      else yield fileInput(found, nameless ? null : withPrefix(flags.prefix, found.name), signal);
    }
  }
}
