import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { FolderMaker } from '../../files/folders.ts';
import { readText } from '../../files/read-text.ts';
import { writeSecretFile } from '../../files/secret-file.ts';
import { loadLibrary } from '../../library.ts';
import { parseCount } from '../../options.ts';
import type { Session } from '../../session.ts';

interface SplitFlags {
  readonly shares: number;
  readonly threshold: number;
  readonly output: string;
}

function parseShareCount(text: string): number {
  const count = parseCount(text);
  if (count < 2 || count > 255) throw new InvalidArgumentError('It must be 2 to 255.');
  return count;
}

async function split(session: Session, file: string, flags: SplitFlags): Promise<void> {
  const { readIdentity, splitIdentity } = await loadLibrary();
  const { shares: count, threshold, output } = flags;
  const identity = await readIdentity(file);
  const shares = await splitIdentity(identity, { shares: count, threshold });
  await new FolderMaker(output).makeRoot();
  for (const [index, share] of shares.entries()) {
    const name = path.join(output, `share-${index + 1}.txt`);
    await writeSecretFile(name, `${share}\n`);
    await session.confirm({ path: name, fingerprint: identity.fingerprint }, () => session.shown(name));
  }
  await session.conclude(
    `any ${threshold} of these ${count} files give the identity back; fewer tell nothing of it. ` +
      'Give each to somebody else, then remove the identity',
  );
}

async function combine(session: Session, files: readonly string[], output: string): Promise<void> {
  const { combineIdentity, writeIdentity } = await loadLibrary();
  const shares = await Promise.all(files.map(readText));
  const identity = await combineIdentity(shares.map((share) => share.trim()));
  await writeIdentity(output, identity);
  const { algorithm, fingerprint } = identity;
  await session.confirm(
    { type: 'identity', algorithm, fingerprint, path: output },
    () => `the identity is back, in ${session.shown(output)}; keep it secret\nfingerprint ${fingerprint}`,
  );
}

/** Defines `holdfast key split` and `combine`; neither needs a store. */
export function addShares(group: Command, session: Session): void {
  group
    .command('split')
    .description('Splits an identity into shares, so many of which give it back; fewer tell nothing of it.')
    .argument('<file>', 'the identity')
    .requiredOption('--shares <number>', 'how many shares to make, 2 to 255', parseShareCount)
    .requiredOption('--threshold <number>', 'how many of them give it back, 2 or more', parseShareCount)
    .requiredOption('-o, --output <folder>', 'folder for the shares; made when absent')
    .addHelpText(
      'after',
      '\nExample:\n  $ holdfast key split recovery.identity --shares 5 --threshold 3 -o shares\n' +
        '  $ holdfast key combine shares/share-[135].txt -o recovery.identity',
    )
    .action((file: string, flags: SplitFlags) => split(session, file, flags));
  group
    .command('combine')
    .description('Makes an identity of its shares.')
    .argument('<files...>', 'as many shares as it takes, or more')
    .requiredOption('-o, --output <file>', 'file of the identity; must not exist, made with mode 0600')
    .action((files: string[], flags: { output: string }) => combine(session, files, flags.output));
}
