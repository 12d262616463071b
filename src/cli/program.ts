import { createRequire } from 'node:module';
import { Command } from 'commander';
import { addCompletion } from './commands/completion.ts';
import { addGet } from './commands/get.ts';
import { addInit } from './commands/init.ts';
import { addLs } from './commands/ls.ts';
import { addMove } from './commands/move.ts';
import { addPut } from './commands/put.ts';
import { addRm } from './commands/rm.ts';
import { addStat } from './commands/stat.ts';
import { addUpkeep } from './commands/upkeep.ts';
import type { GlobalOptions, Session } from './session.ts';

const DESCRIPTION = `Keeps every byte once: an embeddable store that deduplicates, compresses and verifies every read.

The store is the folder given by -s, else by HOLDFAST_STORE, else the nearest .holdfast folder upward.`;

const HELP_TAIL = `
Results go to standard output, everything else to standard error.

Examples:
  $ holdfast init --plain              make a store in ./.holdfast
  $ holdfast put report.pdf photos/    store a file and a folder
  $ holdfast ls --long                 see what is there
  $ holdfast get report.pdf -o r.pdf   read it back, verified
  $ holdfast stats                     see what deduplication saves

Exit status:
  0 ok               4 conflict              8 no space, quota
  1 doctor: unwell   5 denied                9 not supported here
  2 invalid input    6 damage found         10 store closed
  3 not found        7 unavailable, retry   70 bug in Holdfast
  130 interrupted (Ctrl-C)   143 terminated`;

function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return version;
}

/** Every command in the order of the help. Errors are thrown, never printed by commander: `run.ts` prints them all. */
export function buildProgram(session: Session): Command {
  const program = new Command('holdfast')
    .description(DESCRIPTION)
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .helpCommand('help [command]', 'print the help of a command')
    .option('-s, --store <folder>', 'folder of the store')
    .option('--json', 'print results and errors as JSON, one object a line')
    .option('-q, --quiet', 'print no confirmations, warnings or progress')
    .option('-v, --verbose', 'print every step, and stack traces of errors')
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', HELP_TAIL)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .hook('preAction', () => session.configure(program.opts<GlobalOptions>()));
  for (const add of [addInit, addPut, addGet, addLs, addRm, addMove, addStat, addUpkeep, addCompletion]) {
    add(program, session);
  }
  return program;
}
