import type { ErrorCode } from '../errors/codes.ts';

const HELP = 'run `holdfast --help`, or `holdfast COMMAND --help` for one command';
const DAMAGE = 'run `holdfast check` to see what else is affected; put the content again to replace what is damaged';
const LOST =
  'run `holdfast check` to see what else is affected; put the content again, or bring the missing file of the store back and run `holdfast rebuild`';
const REBUILD = 'run `holdfast rebuild`: it makes the metadata anew from the packs; content is not touched';
const BUG = 'this is a bug in Holdfast; run again with -v and report what it prints';
const NEWER = 'a newer version of Holdfast wrote this; use that version';
const FREE = 'free space on the disk; what is stored already is safe';

/** What to do next, by code. Codes whose message already says it all have none. */
const HINTS: Readonly<Partial<Record<ErrorCode | 'ARGUMENT_INVALID' | 'UNEXPECTED', string>>> = {
  ARGUMENT_INVALID: HELP,
  KEY_INVALID: 'a key is 1 to 1,024 bytes of UTF-8; give another one with --key',
  RANGE_INVALID: '`holdfast stat KEY` prints the size; --range takes OFFSET:LENGTH within it',
  CHUNKING_INVALID: 'leave --chunking away for the default, or see `holdfast init --help`',
  NOT_A_STORE: 'point -s at a folder made by `holdfast init`, or make a store in an empty folder',
  ENTRY_NOT_FOUND: '`holdfast ls` lists the keys; `holdfast ls PREFIX` narrows them down',
  STORE_NOT_FOUND: 'make one with `holdfast init --plain [DIR]`, or say where it is with -s DIR or HOLDFAST_STORE',
  SOURCE_NOT_FOUND: 'paths are taken from the current folder; --data TEXT puts text itself',
  ENTRY_EXISTS: 'choose another key, or replace it: put without --if-absent, mv and cp with --force',
  PRECONDITION_FAILED: '`holdfast stat KEY` prints the version that is there now',
  STORE_EXISTS: 'use it as it is with `-s DIR`, or choose another folder',
  STORE_IN_USE: 'another process has this store open; wait until it ends',
  SOURCE_CHANGED: 'the file changed while it was read; run the same command again',
  PERMISSION_DENIED: 'check the owner and the permissions of the path',
  CHUNK_MISSING: LOST,
  CHUNK_CORRUPT: DAMAGE,
  ENTRY_CORRUPT: DAMAGE,
  MANIFEST_CORRUPT: DAMAGE,
  PACK_CORRUPT: DAMAGE,
  SHARD_CORRUPT: DAMAGE,
  COMPRESSED_CORRUPT: DAMAGE,
  CONFIG_CORRUPT: 'run `holdfast doctor`; restore holdfast.json from a copy of the store',
  METADATA_CORRUPT: REBUILD,
  METADATA_MISSING: REBUILD,
  JOURNAL_CORRUPT: 'run `holdfast doctor`; restore the journal folder from a copy of the store',
  JOURNAL_GAP: 'a journal pack is gone; restore the journal folder from a copy of the store',
  JOURNAL_FORK: 'two histories were mixed in one folder; keep the copies apart and use one of them',
  BACKEND_IO: 'run the same command again; `holdfast doctor` looks at the disk and the folder',
  METADATA_BUSY: 'another process is writing; run the same command again',
  COMMIT_PENDING: 'the change is kept and will be flushed when the store is opened next; do not repeat it blindly',
  QUOTA_EXCEEDED: 'raise the quota, or put it into another store',
  FREE_SPACE_LOW: FREE,
  DISK_FULL: FREE,
  FORMAT_UNSUPPORTED: NEWER,
  CODEC_UNSUPPORTED: NEWER,
  OPERATION_UNSUPPORTED: NEWER,
  SETTING_UNSUPPORTED: 'leave the setting away, or see `holdfast COMMAND --help` for what is possible',
  STORE_POISONED: 'the outcome of a write is unknown; run the command again, then `holdfast check`',
  INVARIANT_BROKEN: BUG,
  UNEXPECTED: BUG,
};

/** One line that says what to do about an error code, or `undefined`. */
export function hintFor(code: string): string | undefined {
  return Object.hasOwn(HINTS, code) ? HINTS[code as keyof typeof HINTS] : undefined;
}
