import { createReadStream } from 'node:fs';
import path from 'node:path';
import { addAbortSignal } from 'node:stream';
import type { Entries, SnapshotSource } from '../../../index.ts';
import { fileError } from '../../file-error.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';

/** Options of `snapshot create` as commander hands them over. */
export interface CreateFlags {
  readonly tar?: string;
  readonly prefix?: string;
  readonly bundle?: readonly string[];
  readonly ref?: string;
  readonly message?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly parent?: string;
  readonly exclude?: readonly string[];
  readonly excludeFile?: readonly string[];
  readonly oneFileSystem?: boolean;
  /** False with --no-cache. */
  readonly cache: boolean;
  readonly reread?: boolean;
  readonly dryRun?: boolean;
}

/** Stands for standard input. */
export const STDIN = '-';
/** Where nothing gives a better name: an archive, entries, or the root of a file system. */
const REF_DEFAULT = 'main';

/** @throws a usage error for what cannot be meant */
export function checkCreate(folder: string | undefined, flags: CreateFlags): void {
  const { tar, prefix, bundle } = flags;
  if ([folder, tar, prefix, bundle].filter((one) => one !== undefined).length !== 1)
    throw usageError('say what to store: one FOLDER, or --tar FILE (- for standard input), --prefix P or --bundle ID');
  if (folder !== undefined) return;
  const ofFolders = {
    '--exclude': flags.exclude,
    '--exclude-file': flags.excludeFile,
    '--one-file-system': flags.oneFileSystem,
    '--reread': flags.reread,
    '--no-cache': flags.cache ? undefined : true,
    '--dry-run': flags.dryRun,
  };
  for (const [name, value] of Object.entries(ofFolders))
    if (value !== undefined) throw usageError(`${name} is about a folder`);
}

/** The ref that moves when none is named: the folder's own name, never rewritten. */
export function defaultRef(folder: string | undefined): string {
  return (folder === undefined ? '' : path.basename(path.resolve(folder))) || REF_DEFAULT;
}

/** The bytes of a file or of standard input. */
export async function* readBytes(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* file === STDIN ? addAbortSignal(signal, process.stdin) : createReadStream(file, { signal });
  } catch (error) {
    throw fileError(error, file === STDIN ? 'standard input' : file, 'read');
  } finally {
    // An unread rest of the input must not keep the process alive after a failure.
    if (file === STDIN) process.stdin.destroy();
  }
}

/** Ids of bundles, each of them given by an address. */
async function bundlesOf(session: Session, entries: Entries, addresses: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const address of addresses) {
    const { reference } = await entries.objects.find(address, { signal: session.signal });
    if (reference.type !== 'bundle') throw usageError(`--bundle ${address}: this is a ${reference.type}, no bundle`);
    ids.push(reference.id);
  }
  return ids;
}

interface CreateRequest {
  readonly folder: string | undefined;
  readonly flags: CreateFlags;
}

/** What a checked command line stores. */
export async function sourceOf(session: Session, entries: Entries, request: CreateRequest): Promise<SnapshotSource> {
  const { folder, flags } = request;
  const { tar = STDIN, prefix, bundle } = flags;
  if (folder !== undefined) return { folder };
  if (prefix !== undefined) return { prefix };
  if (bundle !== undefined) return { bundles: await bundlesOf(session, entries, bundle) };
  if (tar === STDIN) session.claimStdin('the archive');
  return { tar: readBytes(tar, session.signal) };
}
