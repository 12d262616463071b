import type { Command } from 'commander';
import { EXIT_STATUS } from '../../../errors/codes.ts';
import { namingFile } from '../../../errors/naming-file.ts';
import type { SignatureFacts } from '../../../index.ts';
import { writeFileAtomically } from '../../files/atomic-file.ts';
import { readText } from '../../files/read-text.ts';
import { loadLibrary } from '../../library.ts';
import type { Session } from '../../session.ts';
import { formatFields } from '../../text/fields.ts';
import { escapeControls } from '../../text/format-text.ts';
import { usageError } from '../../usage-error.ts';
import { publicLineOf } from './new-slot.ts';

interface SignFlags {
  readonly output?: string;
  readonly context?: string;
}

interface VerifyFlags {
  readonly signer: string;
  readonly root: string;
  readonly context?: string;
}

async function sign(session: Session, root: string, flags: SignFlags): Promise<void> {
  const { identity: file = process.env.HOLDFAST_IDENTITY } = session.options;
  if (!file) throw usageError('name who signs: --identity FILE, made by `holdfast key generate ml-dsa-87`');
  const { readIdentity, signRoot } = await loadLibrary();
  const document = signRoot(await readIdentity(file), root, flags.context ?? '');
  const { output } = flags;
  // A signature is no secret, and JSON whether or not --json is given.
  if (output === undefined || output === '-') return session.terminal.print(document.trimEnd());
  await writeFileAtomically(output, [Buffer.from(document)]);
  await session.confirm({ root, path: output }, () => `signed ${root} in ${session.shown(output)}`);
}

function factsOf(file: string, parse: () => SignatureFacts): SignatureFacts {
  try {
    return parse();
  } catch (error) {
    throw namingFile(error, file);
  }
}

async function verify(session: Session, file: string, flags: VerifyFlags): Promise<void> {
  const { parseSignatureDocument, verifySignatureDocument } = await loadLibrary();
  const { root: text, context = '' } = flags;
  const document = await readText(file);
  const signer = await publicLineOf(flags.signer);
  const facts = factsOf(file, () => parseSignatureDocument(document));
  const valid = verifySignatureDocument(document, { signer, text, context });
  await session.result({ valid, ...facts }, () =>
    formatFields([
      ['signature', valid ? 'valid' : 'NOT VALID for this root, signer and context'],
      ['algorithm', facts.algorithm],
      ['signer', facts.signer],
      ['context', facts.context === '' ? undefined : escapeControls(facts.context)],
      ['signed', escapeControls(facts.text)],
    ]),
  );
  if (!valid) session.endWith(EXIT_STATUS.corrupt);
}

/** Defines `holdfast key sign` and `verify`; neither needs a store. */
export function addSignatures(group: Command, session: Session): void {
  const context = ['--context <text>', 'what the signature is for: it is good for nothing else'] as const;
  group
    .command('sign')
    .description('Signs a Merkle root or digest with the identity that --identity names. Verified offline.')
    .argument('<root>', 'what to sign, such as the root that `holdfast stat` prints')
    .option('-o, --output <file>', 'file for the signature, which is no secret; default: standard output')
    .option(...context)
    .addHelpText('after', '\nExample:\n  $ holdfast key sign --identity me.identity blake3:12ab... > report.signature')
    .action((root: string, flags: SignFlags) => sign(session, root, flags));
  group
    .command('verify')
    .description('Verifies that a signer signed a root, offline.')
    .argument('<file>', 'the signature')
    .requiredOption('--signer <file>', 'who must have signed: a file with the public line, or the line itself')
    .requiredOption('--root <root>', 'what must have been signed')
    .option(...context)
    .addHelpText('after', '\nExit status 6 when the signature is not valid.')
    .action((file: string, flags: VerifyFlags) => verify(session, file, flags));
}
