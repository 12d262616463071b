/**
 * The file of one snapshot: a tar archive that anybody can take apart, and verify with nothing but BLAKE3. Layout in
 * `docs/format.md`, section "File of a snapshot". What an object refers to stands before it, so that whoever reads the file
 * once from the beginning can put each object as it comes.
 */
import { utf8Encode } from '../../bytes/bytes.ts';
import { type StoreError, storeError } from '../../errors/store-error.ts';
import { isObjectId, type JsonObject, parseJsonStrict } from '../../objects/index.ts';

const FORMAT = 'holdfast snapshot';
const VERSION = 1;
export const SNAPSHOT_FILE_HEAD = 'snapshot.json';

/** The first member: what the file holds. */
export interface SnapshotFileHead {
  /** Id of the snapshot. */
  readonly snapshot: string;
  /** Whether the snapshots before it are there. */
  readonly history: boolean;
  /** Members of each kind, and bytes of all blobs. */
  readonly objects: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** What a member of the file is, by its name. */
export type SnapshotFileMember =
  | { readonly kind: 'head' }
  | { readonly kind: 'signature'; readonly signer: string }
  | { readonly kind: 'object' | 'blob'; readonly id: string };

/** JSON, for people too. */
export function encodeSnapshotHead(head: SnapshotFileHead): Uint8Array {
  return utf8Encode(`${JSON.stringify({ format: FORMAT, version: VERSION, ...head }, null, 2)}\n`);
}

/** @throws `corrupt/IMPORT_CORRUPT`, `unsupported/FORMAT_UNSUPPORTED`; `invalid/OBJECT_INVALID` for what is no JSON */
export function decodeSnapshotHead(bytes: Uint8Array): SnapshotFileHead {
  const value = parseJsonStrict(bytes, SNAPSHOT_FILE_HEAD);
  const { format, version, ...head } = (typeof value === 'object' ? (value ?? {}) : {}) as JsonObject;
  if (format !== FORMAT) throw importCorrupt(SNAPSHOT_FILE_HEAD, 'is not that of a file of a snapshot');
  if (version !== VERSION) {
    const message = `${SNAPSHOT_FILE_HEAD} is of version ${String(version)}; this version of Holdfast knows ${VERSION}`;
    throw storeError('FORMAT_UNSUPPORTED', message, { details: { path: SNAPSHOT_FILE_HEAD, expected: VERSION } });
  }
  const { snapshot, history, objects, blobs, bytes: size } = head;
  const isWhole = isObjectId(snapshot) && typeof history === 'boolean' && [objects, blobs, size].every(isCount);
  if (!isWhole) throw importCorrupt(SNAPSHOT_FILE_HEAD, 'does not say what the file holds');
  return head as unknown as SnapshotFileHead;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function memberPath(member: SnapshotFileMember): string {
  switch (member.kind) {
    case 'head':
      return SNAPSHOT_FILE_HEAD;
    case 'signature':
      return `signatures/${member.signer}.json`;
    case 'object':
      return `objects/${member.id}.json`;
    case 'blob':
      return `blobs/${member.id}`;
  }
}

/** @returns `undefined` for a path that no member has */
export function parseMemberPath(path: string): SnapshotFileMember | undefined {
  if (path === SNAPSHOT_FILE_HEAD) return { kind: 'head' };
  const [, signer] = /^signatures\/([0-9a-f]{32})\.json$/.exec(path) ?? [];
  if (signer !== undefined) return { kind: 'signature', signer };
  const [, object] = /^objects\/([0-9a-f]{64})\.json$/.exec(path) ?? [];
  if (object !== undefined) return { kind: 'object', id: object };
  const [, blob] = /^blobs\/([0-9a-f]{64})$/.exec(path) ?? [];
  return blob === undefined ? undefined : { kind: 'blob', id: blob };
}

/** A member that is not what the file says. */
export function importCorrupt(
  path: string,
  problem: string,
  options: {
    readonly digest?: string;
    readonly expected?: string;
    readonly actual?: string;
    readonly cause?: unknown;
  } = {},
): StoreError {
  const { cause, ...details } = options;
  return storeError('IMPORT_CORRUPT', `${path} ${problem}`, {
    details: { path, ...details },
    ...(cause !== undefined && { cause }),
  });
}
