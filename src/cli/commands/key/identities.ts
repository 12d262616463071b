import { type Command, Option } from 'commander';
import { namingFile } from '../../../errors/naming-file.ts';
import type { IdentityAlgorithm, PublicIdentity } from '../../../index.ts';
import { readText } from '../../files/read-text.ts';
import { writeSecretFile } from '../../files/secret-file.ts';
import { loadLibrary } from '../../library.ts';
import type { Session } from '../../session.ts';
import { formatFields } from '../../text/fields.ts';
import { shellWord } from '../../text/format-text.ts';
import { exportKey, importKey, KEY_FORMS, type KeyForm } from './key-forms.ts';

const KEY_KINDS = ['key-file', 'ml-kem-1024', 'ml-dsa-87', 'ed25519'] as const;
type KeyKind = 'key-file' | IdentityAlgorithm;

interface OutputFlags {
  readonly output: string;
}

interface ExportFlags extends OutputFlags {
  readonly form: KeyForm;
}

interface ShowFlags {
  readonly recipient?: boolean;
}

/** What a public line looks like; anything else is a secret, and read as one. */
const PUBLIC_LINE = /^\s*holdfast-(?:recipient|signer)-/;

async function generate(session: Session, kind: KeyKind, { output }: OutputFlags): Promise<void> {
  const { generateIdentity, generateKeyFile, writeIdentity } = await loadLibrary();
  const shown = session.shown(output);
  if (kind === 'key-file') {
    await generateKeyFile(output);
    const next = `next: holdfast key add key-file ${shellWord(output)}`;
    return session.confirm({ type: kind, path: output }, () => `made a key file in ${shown}; keep it secret\n${next}`);
  }
  const identity = generateIdentity(kind);
  await writeIdentity(output, identity);
  const { fingerprint } = identity;
  await session.confirm(
    { type: 'identity', algorithm: kind, fingerprint, path: output },
    () =>
      `made an identity (${kind}) in ${shown}; keep it secret\nfingerprint ${fingerprint}\n` +
      `next: holdfast key show ${shellWord(output)}`,
  );
}

/** The public half of an identity file, or of a file with a public line. */
async function readPublic(file: string): Promise<PublicIdentity> {
  const { parsePublicIdentity, readIdentity } = await loadLibrary();
  const text = await readText(file);
  if (!PUBLIC_LINE.test(text)) return readIdentity(file);
  try {
    return parsePublicIdentity(text);
  } catch (error) {
    throw namingFile(error, file);
  }
}

async function show(session: Session, file: string, flags: ShowFlags): Promise<void> {
  const { formatPublicIdentity } = await loadLibrary();
  const identity = await readPublic(file);
  const { algorithm, fingerprint } = identity;
  const line = formatPublicIdentity(identity);
  const value = { algorithm, fingerprint, recipient: line };
  await session.result(value, () =>
    flags.recipient
      ? line
      : formatFields([
          ['algorithm', algorithm],
          ['fingerprint', fingerprint],
          ['public', line],
        ]),
  );
}

async function exportTo(session: Session, file: string, flags: ExportFlags): Promise<void> {
  const { bytes, kind } = await exportKey(file, flags.form);
  await writeSecretFile(flags.output, bytes);
  bytes.fill(0);
  const { output, form } = flags;
  await session.confirm(
    { type: kind, form, path: output },
    () => `wrote the ${kind} in ${session.shown(file)} to ${session.shown(output)} as ${form}; keep it secret`,
  );
}

async function importFrom(session: Session, kind: KeyKind, files: { from: string; output: string }): Promise<void> {
  const { from, output } = files;
  const fingerprint = await importKey(kind, from, output);
  await session.confirm(
    { type: kind, path: output, ...(fingerprint !== undefined && { fingerprint }) },
    () =>
      `made ${session.shown(output)} of ${session.shown(from)}; keep both secret` +
      (fingerprint === undefined ? '' : `\nfingerprint ${fingerprint}`),
  );
}

/** Defines `holdfast key generate`, `show`, `export` and `import`; none of them needs a store. */
export function addIdentities(group: Command, session: Session): void {
  const output = ['-o, --output <file>', 'file to make; must not exist, made with mode 0600'] as const;
  group
    .command('generate')
    .description('Makes a key file, or an identity: ml-kem-1024 opens stores, ml-dsa-87 and ed25519 sign.')
    .addArgument(group.createArgument('<kind>', 'what to make').choices(KEY_KINDS))
    .requiredOption(...output)
    .addHelpText('after', '\nExample:\n  $ holdfast key generate ml-kem-1024 -o ann.identity')
    .action((kind: KeyKind, flags: OutputFlags) => generate(session, kind, flags));
  group
    .command('show')
    .description('Prints what is public of an identity: algorithm, fingerprint, and the line that others need.')
    .argument('<file>', 'an identity, or a file with a public line')
    .option('--recipient', 'the line alone')
    .addHelpText('after', '\nExample:\n  $ holdfast key show ann.identity --recipient > ann.recipient')
    .action((file: string, flags: ShowFlags) => show(session, file, flags));
  group
    .command('export')
    .description('Writes the secret of a key file or identity in another form, for paper and other programs.')
    .argument('<file>', 'a key file or an identity')
    .addOption(new Option('--form <form>', 'how to write it').choices(KEY_FORMS).makeOptionMandatory())
    .requiredOption(...output)
    .action((file: string, flags: ExportFlags) => exportTo(session, file, flags));
  group
    .command('import')
    .description('Makes a key file or identity of a secret: raw bytes, hex or base64 are told apart.')
    .addArgument(group.createArgument('<kind>', 'what it is').choices(KEY_KINDS))
    .argument('<file>', 'file with the secret; nobody else may be able to read it')
    .requiredOption(...output)
    .action((kind: KeyKind, from: string, flags: OutputFlags) =>
      importFrom(session, kind, { from, output: flags.output }),
    );
}
