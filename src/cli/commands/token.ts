import { type Command, InvalidArgumentError } from 'commander';
import type { TokenInfo, Verb } from '../../server/index.ts';
import { loadServer } from '../library.ts';
import { collect, parseSpan } from '../options.ts';
import { type TokenFlags, tokenFileOf } from '../server-locations.ts';
import type { Session } from '../session.ts';
import { escapeControls, formatTime } from '../text/format-text.ts';
import { formatTable } from '../text/table.ts';

interface AddFlags extends TokenFlags {
  readonly allow: readonly Verb[];
  readonly scope?: readonly string[];
  readonly expires?: number;
}

const VERBS: readonly string[] = ['read', 'put', 'write', 'admin'] satisfies readonly Verb[];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

function parseVerbs(text: string): readonly Verb[] {
  const verbs = text.split(',');
  if (verbs.every((one): one is Verb => VERBS.includes(one))) return verbs;
  throw new InvalidArgumentError(`It must be one or more of ${VERBS.join(', ')}, with commas.`);
}

function parseName(text: string): string {
  if (NAME.test(text)) return text;
  throw new InvalidArgumentError('It must be up to 64 letters, digits and . _ @ -');
}

function describeTokens(all: readonly TokenInfo[]): string {
  const rows = all.map(({ name, verbs, namespaces, created, expires }) => [
    escapeControls(name),
    verbs.join(','),
    namespaces === undefined ? 'all' : escapeControls(namespaces.join(',')),
    formatTime(created),
    expires === undefined ? 'never' : formatTime(expires),
  ]);
  return formatTable(['NAME', 'MAY', 'NAMESPACES', 'CREATED (UTC)', 'EXPIRES (UTC)'], rows);
}

async function add(session: Session, name: string, flags: AddFlags): Promise<void> {
  const { TokenFile } = await loadServer();
  const info = await new TokenFile(await tokenFileOf(session, flags)).add(name, {
    verbs: flags.allow,
    ...(flags.scope && { namespaces: flags.scope }),
    ...(flags.expires !== undefined && { validMs: flags.expires }),
  });
  if (!session.options.json && !session.options.quiet)
    session.terminal.note('holdfast: this is the only time that the token is shown');
  await session.result(info, () => info.token);
}

async function list(session: Session, flags: TokenFlags): Promise<void> {
  const { TokenFile } = await loadServer();
  const all = await new TokenFile(await tokenFileOf(session, flags)).list();
  if (!session.options.json) return session.terminal.print(describeTokens(all));
  for (const info of all) await session.result(info, () => '');
}

async function revoke(session: Session, name: string, flags: TokenFlags): Promise<void> {
  const { TokenFile } = await loadServer();
  const info = await new TokenFile(await tokenFileOf(session, flags)).revoke(name);
  await session.confirm(info, () => `revoked ${session.shown(name)}`);
}

const ABOUT = `
Tokens are kept hashed, in a file beside what else is remembered of the store (HOLDFAST_STATE), or in that of --tokens. A server
looks at it with every request: a revoked token opens nothing from then on.`;

/** Defines `holdfast token` and everything below it. */
export function addToken(program: Command, session: Session): void {
  const group = program
    .command('token')
    .summary('who may use the store over HTTP')
    .description('Manages the tokens that `holdfast serve` takes.')
    .helpCommand(false);
  group
    .command('add')
    .description('Makes a token and prints it.')
    .argument('<name>', 'what it is called, in lists and to revoke it', parseName)
    .option('--allow <verbs>', 'what it may do: read, put (create only), write, admin; with commas', parseVerbs, [
      'read',
    ])
    .option(
      '--scope <namespace>',
      'only entries of this namespace ("default" are those in none); may be repeated',
      collect,
    )
    .option('--expires <span>', 'how long it is good for: 90s, 15m, 12h, 7d', parseSpan)
    .option('--tokens <file>', 'the file that tokens are kept in')
    .addHelpText('after', `${ABOUT}\n\nExample:\n  $ holdfast token add backup --allow read,write --expires 90d`)
    .action((name: string, flags: AddFlags) => add(session, name, flags));
  group
    .command('list')
    .description('Lists the tokens, without what opens.')
    .option('--tokens <file>', 'the file that tokens are kept in')
    .action((flags: TokenFlags) => list(session, flags));
  group
    .command('revoke')
    .description('Makes a token worthless, at once.')
    .argument('<name>', 'the token')
    .option('--tokens <file>', 'the file that tokens are kept in')
    .action((name: string, flags: TokenFlags) => revoke(session, name, flags));
}
