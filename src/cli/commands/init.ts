import { unlink } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { isStoreError } from '../../errors/store-error.ts';
import type { CreateOptions, KeySlot, Store, StoreProfile } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { collect, parseBytes, parseCount } from '../options.ts';
import { type NewPassphraseFlags, newPassphrase } from '../secrets/new-secret.ts';
import { declaredIn, declaredKeys } from '../secrets/opening.ts';
import type { Session } from '../session.ts';
import { STORE_FOLDER_NAME } from '../store-location.ts';
import { shellWord } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';
import { parseNewBackend } from './backend/new-backends.ts';
import { publicLineOf } from './key/new-slot.ts';

interface InitFlags extends NewPassphraseFlags {
  readonly plain?: boolean;
  readonly generateKeyFile?: string;
  readonly recipient?: readonly string[];
  readonly chunking?: string;
  readonly profile?: StoreProfile;
  readonly level?: number;
  readonly capacity?: number;
  readonly blockSize?: number;
  readonly redundancy?: string;
  readonly backend?: readonly string[];
  readonly homeWeight?: number;
}

/** -s, HOLDFAST_STORE or `.holdfast` here: a store above must not stop a new one from being made below it. */
function locationOf(session: Session, folder: string | undefined): string {
  const option = session.options.store;
  if (
    folder !== undefined &&
    option !== undefined &&
    folder !== option &&
    path.resolve(folder) !== path.resolve(option)
  ) {
    throw usageError(`two locations given: -s ${option} and ${folder}`);
  }
  return folder ?? option ?? (process.env.HOLDFAST_STORE || STORE_FOLDER_NAME);
}

/** What the new store will be opened with. */
interface Sealing {
  readonly keys: CreateOptions['keys'];
  /** Lines of recipients to be let in as well. */
  readonly recipients: readonly string[];
  /** Whether `keys` opens the store only until the recipients do. */
  readonly passing: boolean;
}

function checkFlags(session: Session, flags: InitFlags): void {
  const sealed = flags.generateKeyFile !== undefined || flags.recipient !== undefined;
  const declared = declaredIn(session);
  if (flags.plain && (sealed || declared !== undefined)) {
    throw usageError('--plain means that no key is needed, and one was given; leave one of both away');
  }
  if (flags.generateKeyFile !== undefined && declared !== undefined) {
    throw usageError('--generate-key-file makes what opens the store, and something else was given to open it');
  }
}

async function sealing(session: Session, flags: InitFlags): Promise<Sealing> {
  if (flags.plain) return { keys: 'none', recipients: [], passing: false };
  const { generateIdentity, generateKeyFile } = await loadLibrary();
  // Read before anything is made, so that a wrong one leaves nothing behind.
  const recipients = await Promise.all((flags.recipient ?? []).map(publicLineOf));
  const declared = await declaredKeys(session);
  if (declared !== undefined) return { keys: declared, recipients, passing: false };
  const { generateKeyFile: keyFile } = flags;
  if (keyFile !== undefined) {
    await generateKeyFile(keyFile);
    return { keys: { keyFile }, recipients, passing: false };
  }
  // Somebody must open a store to let recipients in: an identity that nobody keeps.
  if (recipients.length > 0) return { keys: { identity: generateIdentity('ml-kem-1024') }, recipients, passing: true };
  return { keys: { passphrase: await newPassphrase(session, flags) }, recipients, passing: false };
}

/**
 * Where another store is there, or it could not be remembered that there will be one, the key opens nothing. After any
 * other failure there may be a store that needs it.
 */
async function dropUnusedKeyFile(session: Session, error: unknown, keyFile: string | undefined): Promise<void> {
  if (keyFile === undefined || !isStoreError(error)) return;
  if (error.code === 'STORE_EXISTS' || session.isOfState(error.details)) await unlink(keyFile).catch(() => undefined);
}

/** @returns the slots of the recipients */
async function letIn(store: Store, session: Session, sealed: Sealing): Promise<readonly KeySlot[]> {
  const { recipients, passing } = sealed;
  if (recipients.length === 0) return [];
  const { signal } = session;
  const [first] = await store.keys.list({ signal });
  const added: KeySlot[] = [];
  for (const recipient of recipients) {
    try {
      added.push(await store.keys.add({ recipient }, { signal }));
    } catch (error) {
      // Named twice, or whose identity made the store.
      if (!isStoreError(error, 'SLOT_EXISTS')) throw error;
    }
  }
  if (passing && first !== undefined) await store.keys.remove(first.id, { signal });
  return added;
}

/** Only the fingerprint tells that a line is that of whom it should be. */
function describeRecipient({ id, fingerprint }: KeySlot): string {
  return `let in recipient ${id}\nfingerprint ${fingerprint}`;
}

/** Above all that a store without a second way in is one slip away from being lost. */
function nextSteps(use: string, { keys, recipients }: Sealing): string {
  if (keys === 'none') return `next: ${use}`;
  const spare =
    recipients.length > 0 ? '' : 'a second way in, for the day the first is lost: holdfast key add --help\n';
  return `${spare}next: ${use}`;
}

async function init(session: Session, folder: string | undefined, flags: InitFlags): Promise<void> {
  const location = locationOf(session, folder);
  checkFlags(session, flags);
  const sealed = await sealing(session, flags);
  const { createStore } = await loadLibrary();
  await using store = await createStore(session.locationOf(location), {
    keys: sealed.keys,
    ...session.openOptions(),
    ...(flags.chunking !== undefined && { chunking: flags.chunking }),
    ...(flags.profile !== undefined && { profile: flags.profile }),
    ...(flags.level !== undefined && { compressionLevel: flags.level }),
    ...(flags.capacity !== undefined && { capacityBytes: flags.capacity }),
    ...(flags.blockSize !== undefined && { blockBytes: flags.blockSize }),
    ...(flags.redundancy !== undefined && { redundancy: flags.redundancy }),
    ...(flags.backend && { backends: flags.backend.map(parseNewBackend) }),
    ...(flags.homeWeight !== undefined && { homeWeight: flags.homeWeight }),
  }).catch(async (error: unknown) => {
    await dropUnusedKeyFile(session, error, flags.generateKeyFile);
    throw error;
  });
  const recipients = await letIn(store, session, sealed);
  const found = folder === undefined && session.options.store === undefined;
  const use = found ? 'holdfast put FILE' : `holdfast -s ${shellWord(location)} put FILE`;
  const kind = flags.plain ? 'plain store (whoever can read it there reads the data)' : 'sealed store';
  await session.confirm({ location, id: store.id, plain: flags.plain === true, sealed: store.sealed, recipients }, () =>
    [`created a ${kind} in ${location}`, ...recipients.map(describeRecipient), nextSteps(use, sealed)].join('\n'),
  );
}

const EXAMPLES = `
A sealed store is opened by a passphrase (asked for twice, or from --passphrase-file, --new-passphrase-file,
HOLDFAST_PASSPHRASE or HOLDFAST_NEW_PASSPHRASE), a key file, or an identity. Without any of them it is lost.

Examples:
  $ holdfast init
  $ holdfast init --generate-key-file ~/store.key /srv/backup
  $ holdfast init --recipient ann.recipient --recipient ben.recipient
  $ holdfast init --plain /srv/public --level 9
  $ holdfast init backup.hold --capacity 10GiB
  $ holdfast -s s3://photos --database postgres://db.example/photos init
  $ holdfast init --redundancy 2+1 --backend /mnt/a --backend /mnt/b --backend cellar=/mnt/c`;

/** Defines `holdfast init`. */
export function addInit(program: Command, session: Session): void {
  program
    .command('init')
    .summary('make a new store')
    .description(
      'Makes a new store in a folder: the one named, else -s, else HOLDFAST_STORE, else .holdfast in the current folder. ' +
        'A name that ends in .hold makes it in one file, s3://bucket/prefix in a bucket, with --database. ' +
        'It is sealed (encrypted) unless --plain says otherwise, and stays what it is.',
    )
    .argument('[folder]', 'folder of the new store, or a file that ends in .hold; made when absent')
    .option('--generate-key-file <file>', 'make a key file, and seal the store with it')
    .option(
      '--recipient <line>',
      'let in the holder of an identity: its line, or a file with it; may be repeated',
      collect,
    )
    .option('--new-passphrase-file <file>', 'the passphrase: first line of a file')
    .option('--plain', 'do not seal: whoever can read the folder reads the data')
    .option('--chunking <spec>', 'default chunking: a profile or a specification such as fastcdc:16384:65536:262144')
    .addOption(new Option('--profile <name>', 'fast (the default), or small: fewer bytes').choices(['fast', 'small']))
    .option('--level <number>', 'zstd level, 1 (fast) to 19 (small), other than that of the profile', parseCount)
    .option('--redundancy <k+m>', 'shards of each pack: none, minimal, personal, federation, paranoid, 3+2')
    .option('--backend <folder>', 'a folder or s3://bucket for shards, or NAME=FOLDER; may be repeated', collect)
    .option('--home-weight <number>', 'share of the shards for the store folder itself (0 with --backend)', parseCount)
    .option('--capacity <size>', 'of a file: most bytes it may have, such as 10GiB; default: it grows', parseBytes)
    .option('--block-size <size>', 'of a file: bytes of one row, 8KiB to 128MiB; default 256KiB', parseBytes)
    .addHelpText('after', EXAMPLES)
    .action((folder: string | undefined, flags: InitFlags) => init(session, folder, flags));
}
