import type { Command } from 'commander';
import { EXIT_STATUS } from '../../../errors/codes.ts';
import { namingFile } from '../../../errors/naming-file.ts';
import { writeFileAtomically } from '../../files/atomic-file.ts';
import { readText } from '../../files/read-text.ts';
import { loadLibrary } from '../../library.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';
import { publicLineOf } from '../key/new-slot.ts';

interface VerifyFlags {
  readonly signer: string;
  readonly snapshot: string;
}

async function sign(session: Session, id: string, { output }: { readonly output?: string }): Promise<void> {
  const { identity: file = process.env.HOLDFAST_IDENTITY } = session.options;
  if (!file) throw usageError('name who signs: --identity FILE, made by `holdfast key generate ml-dsa-87`');
  const { readIdentity, signSnapshot } = await loadLibrary();
  const document = signSnapshot(id, await readIdentity(file));
  // A signature is no secret, and JSON whether or not --json is given.
  if (output === undefined || output === '-') return session.terminal.print(document.trimEnd());
  await writeFileAtomically(output, [Buffer.from(document)]);
  await session.confirm({ id, path: output }, () => `signed ${id} in ${session.shown(output)}`);
}

async function verifySignature(session: Session, file: string, flags: VerifyFlags): Promise<void> {
  const { verifySnapshotSignature } = await loadLibrary();
  const document = await readText(file);
  const signer = await publicLineOf(flags.signer);
  let valid: boolean;
  try {
    valid = verifySnapshotSignature(document, signer, flags.snapshot);
  } catch (error) {
    throw namingFile(error, file);
  }
  await session.result({ valid, snapshot: flags.snapshot }, () =>
    valid ? 'valid' : 'NOT VALID for this snapshot and signer',
  );
  if (!valid) session.endWith(EXIT_STATUS.corrupt);
}

/** Defines `holdfast snapshot sign` and `verify-signature`; neither needs a store. */
export function addSignatures(group: Command, session: Session): void {
  group
    .command('sign')
    .description('Signs a snapshot with the identity that --identity names, offline: its id stands for all it holds.')
    .argument('<id>', 'of the snapshot, all 64 digits: `holdfast snapshot show` prints it')
    .option('-o, --output <file>', 'file for the signature, which is no secret; default: standard output')
    .addHelpText('after', '\nExample:\n  $ holdfast snapshot sign 3f9a... --identity me.identity -o photos.signature')
    .action((id: string, flags: { readonly output?: string }) => sign(session, id, flags));
  group
    .command('verify-signature')
    .description('Verifies that a signer signed a snapshot, offline.')
    .argument('<file>', 'the signature')
    .requiredOption('--signer <file>', 'who must have signed: a file with the public line, or the line itself')
    .requiredOption('--snapshot <id>', 'what must have been signed: the id of a snapshot')
    .addHelpText('after', '\nExit status 6 when the signature is not valid.')
    .action((file: string, flags: VerifyFlags) => verifySignature(session, file, flags));
}
