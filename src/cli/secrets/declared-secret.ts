import type { KeySecret } from '../../index.ts';
import { usageError } from '../usage-error.ts';
import { readPassphraseFile } from './passphrase-file.ts';

/**
 * Options that say what opens a sealed store. They name files: what stands in argv, everybody on the machine can read.
 */
export interface SecretOptions {
  readonly passphraseFile?: string;
  readonly keyFile?: string;
  readonly identity?: string;
  /** A put-only writer's. */
  readonly credential?: string;
}

/** What the command line or the environment says that opens the store. */
export type DeclaredSecret =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'passphrase-file'; readonly path: string }
  | { readonly kind: 'key-file'; readonly path: string }
  | { readonly kind: 'identity'; readonly path: string }
  | { readonly kind: 'credential'; readonly path: string };

/** Stands for standard input as a passphrase file. */
export const STDIN_FILE = '-';

function declaredBy(sources: readonly (readonly [name: string, secret: DeclaredSecret | undefined])[]) {
  const given = sources.filter(([, secret]) => secret !== undefined);
  if (given.length > 1) {
    throw usageError(`one secret opens a store; give one of ${given.map(([name]) => name).join(' and ')}`);
  }
  return given[0]?.[1];
}

function fileOf(kind: Exclude<DeclaredSecret['kind'], 'passphrase'>, path: string | undefined) {
  return path ? { kind, path } : undefined;
}

/**
 * Which secret is declared: by an option, else by a variable of the environment (an empty one counts as unset).
 * @throws a usage error when two of them are
 */
export function declaredSecret(
  options: SecretOptions,
  environment: Readonly<Record<string, string | undefined>>,
): DeclaredSecret | undefined {
  const { HOLDFAST_PASSPHRASE: passphrase } = environment;
  return (
    declaredBy([
      ['--passphrase-file', fileOf('passphrase-file', options.passphraseFile)],
      ['--key-file', fileOf('key-file', options.keyFile)],
      ['--identity', fileOf('identity', options.identity)],
      ['--credential', fileOf('credential', options.credential)],
    ]) ??
    declaredBy([
      ['HOLDFAST_PASSPHRASE', passphrase ? { kind: 'passphrase', passphrase } : undefined],
      ['HOLDFAST_KEY_FILE', fileOf('key-file', environment.HOLDFAST_KEY_FILE)],
      ['HOLDFAST_IDENTITY', fileOf('identity', environment.HOLDFAST_IDENTITY)],
      ['HOLDFAST_CREDENTIAL', fileOf('credential', environment.HOLDFAST_CREDENTIAL)],
    ])
  );
}

/**
 * What the library takes for a declared secret.
 * @param readStdin gives the first line of standard input
 */
export async function keySecretOf(
  declared: Exclude<DeclaredSecret, { kind: 'credential' }>,
  readStdin: () => Promise<string>,
): Promise<KeySecret> {
  switch (declared.kind) {
    case 'passphrase':
      return { passphrase: declared.passphrase };
    case 'passphrase-file':
      return { passphrase: await (declared.path === STDIN_FILE ? readStdin() : readPassphraseFile(declared.path)) };
    case 'key-file':
      return { keyFile: declared.path };
    case 'identity':
      return { identity: declared.path };
  }
}
