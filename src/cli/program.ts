import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addBackend } from './commands/backend/backend.ts';
import { addBench } from './commands/bench.ts';
import { addCheck } from './commands/check.ts';
import { addCompletion } from './commands/completion.ts';
import { addExchange } from './commands/exchange.ts';
import { addExplain } from './commands/explain.ts';
import { addFind } from './commands/find.ts';
import { addGc } from './commands/gc.ts';
import { addGet } from './commands/get.ts';
import { addInbox } from './commands/inbox.ts';
import { addInit } from './commands/init.ts';
import { addInspect } from './commands/inspect.ts';
import { addKey } from './commands/key/key.ts';
import { addLs } from './commands/ls.ts';
import { addMigrate } from './commands/migrate.ts';
import { addMove } from './commands/move.ts';
import { addNamespace } from './commands/namespace.ts';
import { addObject } from './commands/object/object.ts';
import { addProve } from './commands/prove.ts';
import { addPut } from './commands/put.ts';
import { addRef } from './commands/ref.ts';
import { addRelations } from './commands/relations.ts';
import { addRm } from './commands/rm.ts';
import { addScrub } from './commands/scrub.ts';
import { addServe } from './commands/serve.ts';
import { addSingleFile } from './commands/single-file.ts';
import { addSnapshot } from './commands/snapshot/snapshot.ts';
import { addStat } from './commands/stat.ts';
import { addStatus } from './commands/status.ts';
import { addToken } from './commands/token.ts';
import { addUpkeep } from './commands/upkeep.ts';
import { addValidate } from './commands/validate.ts';
import { addVersions } from './commands/versions.ts';
import type { GlobalOptions, Session } from './session.ts';
import { usageError } from './usage-error.ts';

const DESCRIPTION = `Keeps every byte once: an embeddable store that deduplicates, compresses and verifies every read.

The store is the folder, file or bucket given by -s, else by HOLDFAST_STORE, else the nearest .holdfast folder upward. What opens
a sealed store is never an argument: it is a file named by an option, a variable of the environment, or asked for.`;

const HELP_TAIL = `
Results go to standard output, everything else to standard error. \`holdfast --version\` prints the version.

Examples:
  $ holdfast init                      make a sealed store in ./.holdfast; asks for a passphrase
  $ holdfast put report.pdf photos/    store a file and a folder
  $ holdfast ls --long                 see what is there
  $ holdfast get report.pdf -o r.pdf   read it back, verified
  $ holdfast stats                     see what deduplication saves

Environment:
  HOLDFAST_STORE       as --store                   HOLDFAST_PASSPHRASE  its passphrase
  HOLDFAST_DATABASE    as --database                HOLDFAST_KEY_FILE    as --key-file
  HOLDFAST_NAMESPACE   as --namespace               HOLDFAST_IDENTITY    as --identity
  HOLDFAST_STATE       what is remembered of        HOLDFAST_CREDENTIAL  as --credential
                       stores, outside of them      HOLDFAST_BACKENDS    modules: SCHEME=PATH,...
                                                    HOLDFAST_TOKENS      as --tokens

Exit status:
  0 ok               4 conflict              8 no space, quota
  1 doctor: unwell   5 denied                9 not supported here
  2 invalid input    6 damage found         10 store closed
  3 not found        7 unavailable, retry   70 bug in Holdfast
  130 interrupted (Ctrl-C)   143 terminated`;

/** The commands that are about entries, and so about one namespace. */
const ABOUT_ENTRIES = [
  'put',
  'get',
  'cat',
  'ls',
  'find',
  'rm',
  'mv',
  'cp',
  'stat',
  'stats',
  'prove',
  'validate',
  'explain',
  '__complete',
];
const GROUPS_ABOUT_ENTRIES = new Set(['versions', 'relations', 'object', 'ref', 'snapshot', 'import', 'export']);
const NAMESPACED = new Set([...ABOUT_ENTRIES, 'key export-writer']);

function configure(session: Session, options: GlobalOptions, command: Command): void {
  session.configure(options);
  const group = command.parent?.parent ? command.parent.name() : undefined;
  const name = group === undefined ? command.name() : `${group} ${command.name()}`;
  const isAboutEntries = NAMESPACED.has(name) || (group !== undefined && GROUPS_ABOUT_ENTRIES.has(group));
  if (options.namespace !== undefined && !isAboutEntries) {
    throw usageError(`--namespace is about entries; "${name}" is about the whole store`);
  }
}

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return version;
}

/** Whether a command line asks for the version of the command: after a command the option names one of an entry. */
function asksForVersion(args: readonly string[]): boolean {
  const command = args.findIndex((arg) => !arg.startsWith('-'));
  return args.slice(0, command === -1 ? undefined : command).includes('--version');
}

/** Every command in the order of the help. Errors are thrown, never printed by commander: `run.ts` prints them all. */
export function buildProgram(session: Session, args: readonly string[]): Command {
  const program = new Command('holdfast')
    .description(DESCRIPTION)
    .helpOption('-h, --help', 'print this help, or that of a command')
    .helpCommand('help [command]', 'print the help of a command')
    .option('-s, --store <path>', 'folder or file of the store, or s3://bucket')
    .option('--database <url>', 'its metadata: postgres://host/database?schema=name')
    .option('-N, --namespace <name>', 'entries of this namespace')
    .option('--passphrase-file <file>', "what opens the store: a passphrase, a file's first line")
    .option('--key-file <file>', 'what opens the store: a key file')
    .option('--identity <file>', 'what opens the store: an identity')
    .option('--credential <file>', 'put only: the credential of a writer')
    .option('--accept-rollback', 'open a store that is older than it was seen before')
    .option('--json', 'print results and errors as JSON, one object a line')
    .option('-q, --quiet', 'print no confirmations, warnings or progress')
    .option('-v, --verbose', 'print every step, and stack traces of errors')
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', HELP_TAIL)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .hook('preAction', (_, command) => configure(session, program.opts<GlobalOptions>(), command));
  if (asksForVersion(args)) program.version(packageVersion(), '--version', 'print the version');
  const entries = [addInit, addPut, addGet, addLs, addFind, addRm, addMove, addStat, addVersions, addRelations];
  const objects = [addSnapshot, addObject, addRef, addExplain];
  const proofs = [addProve, addValidate, addExchange];
  const stores = [
    addKey,
    addNamespace,
    addInbox,
    addBackend,
    addStatus,
    addBench,
    addCheck,
    addUpkeep,
    addScrub,
    addGc,
    addMigrate,
    addInspect,
    addSingleFile,
  ];
  for (const add of [...entries, ...objects, ...proofs, ...stores, addServe, addToken, addCompletion])
    add(program, session);
  return program;
}
