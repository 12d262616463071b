import path from 'node:path';
import type { Command } from 'commander';
import { loadLibrary } from '../library.ts';
import { parseCount } from '../options.ts';
import type { Session } from '../session.ts';
import { STORE_FOLDER_NAME } from '../store-location.ts';
import { shellWord } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';

interface InitFlags {
  readonly plain?: boolean;
  readonly chunking?: string;
  readonly level?: number;
}

/** -s, HOLDFAST_STORE or `.holdfast` here: a store above must not stop a new one from being made below it. */
function locationOf(session: Session, folder: string | undefined): string {
  const option = session.options.store;
  if (folder !== undefined && option !== undefined && path.resolve(folder) !== path.resolve(option)) {
    throw usageError(`two folders given: -s ${option} and ${folder}`);
  }
  return folder ?? option ?? (process.env.HOLDFAST_STORE || STORE_FOLDER_NAME);
}

async function init(session: Session, folder: string | undefined, flags: InitFlags): Promise<void> {
  const location = locationOf(session, folder);
  if (!flags.plain) {
    throw usageError(
      'sealing (encryption) does not exist yet, so a store would be readable by whoever can read its folder; ' +
        'pass --plain if plain storage is what you want',
    );
  }
  const { createStore } = await loadLibrary();
  await using store = await createStore(location, {
    keys: 'none',
    signal: session.signal,
    logger: session.logger(),
    ...(flags.chunking !== undefined && { chunking: flags.chunking }),
    ...(flags.level !== undefined && { compressionLevel: flags.level }),
  });
  const found = folder === undefined && session.options.store === undefined;
  const use = found ? 'holdfast put FILE' : `holdfast -s ${shellWord(location)} put FILE`;
  await session.confirm(
    { location, id: store.id, plain: true },
    () => `created a plain store in ${location}\nnext: ${use}`,
  );
}

/** Defines `holdfast init`. */
export function addInit(program: Command, session: Session): void {
  program
    .command('init')
    .summary('make a new store')
    .description(
      'Makes a new store in a folder: the one named, else -s, else HOLDFAST_STORE, else .holdfast in the current folder.',
    )
    .argument('[folder]', 'folder of the new store; made when absent')
    .option('--plain', 'store plainly: whoever can read the folder reads the data (required until sealing exists)')
    .option('--chunking <spec>', 'default chunking: a profile or a specification such as fastcdc:16384:65536:262144')
    .option('--level <number>', 'zstd level, 1 (fast) to 19 (small)', parseCount)
    .addHelpText('after', '\nExamples:\n  $ holdfast init --plain\n  $ holdfast init --plain /srv/backup --level 9')
    .action((folder: string | undefined, flags: InitFlags) => init(session, folder, flags));
}
