import type { ErrorCode } from '../errors/codes.ts';

const HELP = 'run `holdfast --help`, or `holdfast COMMAND --help` for one command';
const DAMAGE = 'run `holdfast check` to see what else is affected; put the content again to replace what is damaged';
const LOST =
  'run `holdfast check` to see what else is affected; put the content again, or bring the missing file of the store back and run `holdfast rebuild`';
const REBUILD = 'run `holdfast rebuild`: it makes the metadata anew from the packs; content is not touched';
const BUG = 'this is a bug in Holdfast; run again with -v and report what it prints';
const NEWER = 'a newer version of Holdfast wrote this; use that version';
const WAYS_IN =
  'name what opens it: --passphrase-file, --key-file or --identity FILE, or HOLDFAST_PASSPHRASE, HOLDFAST_KEY_FILE or ' +
  'HOLDFAST_IDENTITY; on a terminal you are asked';
const FREE = 'free space on the disk; what is stored already is safe';

/** What to do next, by code. Codes whose message already says it all have none. */
const HINTS: Readonly<Partial<Record<ErrorCode | 'ARGUMENT_INVALID' | 'UNEXPECTED', string>>> = {
  ARGUMENT_INVALID: HELP,
  KEY_INVALID: 'a key is 1 to 1,024 bytes of UTF-8; give another one with --key',
  RANGE_INVALID: '`holdfast stat KEY` prints the size; --range takes OFFSET:LENGTH within it',
  CHUNKING_INVALID: 'leave --chunking away for the default, or see `holdfast init --help`',
  REDUNDANCY_INVALID: 'give k+m such as 3+2, or none, minimal, personal, federation or paranoid',
  ID_AMBIGUOUS: 'give more digits',
  OBJECT_NOT_FOUND: '`holdfast object ls --long` lists what is there; what an object refers to is put before it',
  REF_NOT_FOUND:
    '`holdfast ref ls` lists the names, `holdfast snapshot list` snapshots; `holdfast ref history NAME` what one named before',
  BACKEND_INVALID:
    'a backend is a folder, a .hold file or s3://bucket; names and domains are 1 to 63 of a-z, 0-9, ".", "_" and "-"',
  NOT_A_STORE:
    'point -s at a folder made by `holdfast init`, or where `holdfast migrate` moved it, or make a store in an empty folder',
  ENTRY_NOT_FOUND: '`holdfast ls` lists the keys; `holdfast ls PREFIX` narrows them down',
  METADATA_ELSEWHERE:
    'give its database with --database or HOLDFAST_DATABASE, or leave both away for a store that has its metadata itself',
  STORE_NOT_FOUND: 'make one with `holdfast init [DIR]`, or say where it is with -s DIR or HOLDFAST_STORE',
  SOURCE_NOT_FOUND:
    'paths are taken from the current folder (`put --data TEXT` stores text itself); `holdfast snapshot ls ADDRESS` ' +
    'shows those in a snapshot',
  CREDENTIAL_NOT_FOUND:
    'paths are taken from the current folder; `holdfast key generate` makes key files and identities',
  BACKEND_NOT_FOUND: '`holdfast backend list` shows them',
  VERSION_NOT_FOUND: '`holdfast versions KEY` lists what is kept',
  ENTRY_HAS_CHILDREN: 'remove them too with --recursive, or leave them without a parent with --orphan',
  RELATION_CYCLE: '`holdfast relations ancestors KEY` shows what an entry is beneath',
  ENTRY_EXISTS:
    'choose another key, or replace it: put without --if-absent, mv and cp with --force, a restore with --overwrite changed',
  PRECONDITION_FAILED: '`holdfast stat KEY` prints the version that is there now',
  STORE_EXISTS: 'use it as it is with `-s DIR`, or choose another folder',
  STORE_IN_USE: 'another process has this store open; wait until it ends',
  TARGET_EXISTS:
    'restore into an empty folder, or replace what is there with --overwrite changed; a store moves to an empty place',
  PATH_UNSAFE: 'restore into an empty folder; a snapshot with unsafe paths was not made from files',
  SOURCE_CHANGED: 'the file changed while it was read; run the same command again',
  PERMISSION_DENIED: 'check the owner and the permissions of the path',
  KEY_REQUIRED: WAYS_IN,
  WRONG_KEY: 'check which store it is, and which key: `holdfast doctor` says what kinds of keys open it',
  KEY_FILE_EXPOSED: 'if nobody else has read it: chmod 600 FILE; otherwise make a new key and remove the old slot',
  CREDENTIAL_INVALID: 'files of keys are made by `holdfast key generate`, `export-writer` and `split`',
  PROOF_INVALID: 'a proof is the whole of what `holdfast prove` printed or wrote with -o; make it again',
  OBJECT_INVALID: 'the message names the place; a name must not stand twice, and numbers must not need rounding',
  STORE_NOT_SEALED:
    'is it the right store? A plain one has no keys or namespaces: leave their options and variables away',
  WRITE_ONLY: 'a credential is for `holdfast --credential FILE put`; to read, give a key of the store',
  EPOCH_UNKNOWN: 'keys were changed meanwhile, or part of the store is newer than its keys; run the same command again',
  NAMESPACE_KEY_GONE: 'the namespace was dropped and its keys destroyed: nobody can read this any more',
  NAMESPACE_INVALID: 'a name is 1 to 64 bytes of UTF-8 without control characters; "default" cannot be dropped',
  REF_INVALID: 'a name is parts of 1 or more characters between slashes, such as backup/laptop, 256 bytes at most',
  ADDRESS_INVALID: 'write photos, latest~2, photos@{yesterday}, photos:docs/report.pdf, or 4 to 64 digits of an id',
  ARCHIVE_INVALID:
    'tar archives are read plain or compressed with gzip or zstd; `tar -t` says what it makes of this one',
  ARCHIVE_ITEM_UNSUPPORTED: 'everything else was taken; sparse files go in without `tar --sparse`',
  OBJECT_WRONG_TYPE:
    '`holdfast object stat ID` tells what it is, `holdfast snapshot show ADDRESS` what a snapshot holds; its entries are ' +
    'put back by `restore --entries`',
  SLOT_NOT_FOUND: '`holdfast key list` shows the slots, `holdfast key writers` the writers',
  NAMESPACE_NOT_FOUND: '`holdfast namespace list` shows them; `holdfast namespace create NAME` makes one',
  NAMESPACE_EXISTS: 'use it as it is with -N NAME, or choose another name',
  LAST_SLOT: 'add another way in first: `holdfast key add --help`',
  SLOT_EXISTS: '`holdfast key list` shows it; `holdfast key label SLOT TEXT` gives it another label',
  BACKEND_EXISTS: '`holdfast backend list` shows what there is; choose another name or another folder',
  BACKEND_MISMATCH:
    'nothing was changed there: name an empty folder; where a backend of this store has moved to is told by ' +
    '`holdfast backend set NAME --location FOLDER`',
  BACKEND_IN_USE:
    '`holdfast backend drain NAME` empties it; for one that is lost there are `backend replace` and ' +
    '`backend remove --lost`; another one takes new data once `backend set NAME --weight 1` says so',
  KEYS_CHANGED: 'somebody changed the keys at the same time; run the same command again',
  ROLLBACK_DETECTED: 'the store was newer when it was seen last; if you have restored a backup, add --accept-rollback',
  ENTRY_ISOLATED: 'an isolated entry has a key for itself; get it and put it again under the other name',
  SHRED_PENDING: 'it is deleted, but its key is not destroyed everywhere yet; `holdfast namespace shred` goes on',
  CHUNK_MISSING: LOST,
  CHUNK_CORRUPT: DAMAGE,
  OBJECT_CORRUPT: DAMAGE,
  OBJECT_MISSING: DAMAGE,
  ENTRY_CORRUPT: DAMAGE,
  MANIFEST_CORRUPT: DAMAGE,
  PACK_CORRUPT: DAMAGE,
  SHARD_CORRUPT: DAMAGE,
  SHARD_MISSING: 'run `holdfast repair`: it makes what is missing anew from the other shards',
  SHARDS_INSUFFICIENT:
    'bring back what was lost (`holdfast status` shows which backends are missing) and run `holdfast repair`; put what stays lost again',
  COMPRESSED_CORRUPT: DAMAGE,
  CONFIG_CORRUPT: 'run `holdfast doctor`; restore holdfast.json from a copy of the store',
  METADATA_CORRUPT: REBUILD,
  METADATA_MISSING: REBUILD,
  JOURNAL_CORRUPT: 'run `holdfast doctor`; restore the journal folder from a copy of the store',
  JOURNAL_GAP: 'a journal pack is gone; restore the journal folder from a copy of the store',
  JOURNAL_FORK: 'two histories were mixed in one folder; keep the copies apart and use one of them',
  IMPORT_CORRUPT:
    'nothing of this item was stored, and nothing is wrong with the store; get the file from another copy of what is imported',
  BACKEND_IO: 'run the same command again; `holdfast doctor` looks at the disk and the folder',
  BACKEND_UNREACHABLE:
    'bring the disk back; `holdfast status` shows which are missing, and what to do about one that is lost',
  REDUNDANCY_UNMET: 'bring backends back or add one: `holdfast status` shows how they are; nothing was stored',
  JOB_HELD: 'wait until it is done with it, then run the same command again; what it has verified need not be again',
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

/** Said of every error with what this user's command remembers of stores, whatever its code. */
export const STATE_HINT =
  'this is where the command remembers how far it has seen stores: make it a folder that you may write to, ' +
  'or name another one with HOLDFAST_STATE';

/** One line that says what to do about an error code, or `undefined`. */
export function hintFor(code: string): string | undefined {
  return Object.hasOwn(HINTS, code) ? HINTS[code as keyof typeof HINTS] : undefined;
}
