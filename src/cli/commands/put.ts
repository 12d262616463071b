import { realpath } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { letContentThrough } from '../heap.ts';
import { collect, collectAttribute, parseKeep } from '../options.ts';
import { ProgressMeter } from '../progress/meter.ts';
import { countAhead } from '../put/count-ahead.ts';
import { dryRun } from '../put/dry-run.ts';
import { type PutFlags, planPut, STDIN_PATH } from '../put/plan.ts';
import { type PutContext, putInputs } from '../put/put-inputs.ts';
import { openPutTarget, type PutTarget } from '../put/put-target.ts';
import { PutReport } from '../put/report.ts';
import type { Session } from '../session.ts';

/** Where the store lies, so that putting the folder around it does not put the store into itself. */
async function realPathOfStore(session: Session): Promise<string | undefined> {
  const location = await session.findStorePath();
  // A dry run needs no store, and a put with a wrong one fails when it opens it.
  return location === undefined ? undefined : realpath(location).catch(() => undefined);
}

async function putAll(target: PutTarget, context: PutContext, report: PutReport): Promise<void> {
  for await (const outcome of putInputs(target, context)) {
    if (outcome.kind === 'done') await report.done(outcome.path, outcome.result);
    else if (outcome.kind === 'skipped') report.skipped(outcome.path, outcome.reason);
    else report.failed(outcome.error);
  }
}

async function runPut(context: PutContext): Promise<void> {
  const { session, plan, meter } = context;
  const report = new PutReport(session, plan, meter);
  try {
    await using target = await openPutTarget(session, plan);
    report.expectWaiting(target.waits);
    if (session.showsProgress) countAhead(plan, meter, context).catch(() => undefined);
    await putAll(target, context, report);
  } catch (error) {
    meter.stop();
    await report.summary(false);
    throw error;
  }
  meter.stop();
  await report.summary(true);
}

async function put(session: Session, paths: readonly string[], flags: PutFlags): Promise<void> {
  letContentThrough('in');
  const plan = await planPut(paths, flags);
  using meter = new ProgressMeter(session, 'put');
  const context: PutContext = { session, plan, meter, signal: session.signal, avoid: await realPathOfStore(session) };
  if (flags.dryRun) return dryRun(session, plan, context.avoid);
  const readsStdin = paths.includes(STDIN_PATH);
  if (readsStdin) session.claimStdin('what to put');
  if (readsStdin && process.stdin.isTTY && !session.options.quiet) {
    session.terminal.note('holdfast: reading from the terminal; Ctrl-D ends the input');
  }
  try {
    await runPut(context);
  } finally {
    // An unread rest of the input must not keep the process alive after a failure.
    if (readsStdin) process.stdin.destroy();
  }
}

const EXAMPLES = `
Names:
  A file is named by its path as typed, without a leading "./" or "/"; a folder by its own name and the paths inside.
  put notes/a.txt   -> notes/a.txt          put /etc/hosts    -> etc/hosts
  put photos        -> photos/2024/1.jpg    put .             -> 2024/1.jpg

Kept are names and content, not permissions, times, empty folders or links.
Where these matter:  tar -c photos | holdfast put - --key photos.tar

Examples:
  $ holdfast put report.pdf photos/
  $ holdfast put --prefix backup/monday --exclude node_modules --exclude '*.log' .
  $ pg_dump shop | holdfast put - --key dumps/shop.sql --attribute host=db1
  $ holdfast put --data 'hello' -k greeting
  $ holdfast put --name digest *.iso`;

/** Defines `holdfast put`. */
export function addPut(program: Command, session: Session): void {
  program
    .command('put')
    .summary('store files, folders, standard input or text')
    .description(
      'Stores files, folders (recursively), standard input (-) or text. Prints key, digest and size of each entry.',
    )
    .argument('[paths...]', 'files and folders to put; - for standard input')
    .option('-k, --key <key>', 'name of the one file, folder or input given')
    .option('-p, --prefix <prefix>', 'put every name below this one')
    .addOption(new Option('--name <how>', 'how to name entries').choices(['path', 'digest', 'uuid']))
    .option('--data <text>', 'put this text instead of files')
    .option('--content-type <type>', 'media type to keep with each entry')
    .option('-a, --attribute <name=value>', 'attribute to keep with each entry; may be repeated', collectAttribute)
    .option('--chunking <spec>', "how to cut: a profile or a specification (default: the store's)")
    .option('--if-absent', 'create only: an entry that exists is an error (exit 4)')
    .option('--if-match <version>', 'replace only this version (exit 4 otherwise)')
    .option('--verify-existing', 're-read chunks that are already stored before counting on them')
    .option('--isolated', 'seal each entry with a key of its own, destroyed with the entry; shares no chunk')
    .option('--redundancy <k+m>', 'at least this redundancy, such as 3+2; what has less is stored again')
    .option('--keep-versions <count>', 'how many earlier versions to keep of each entry, all or none', parseKeep)
    .option('--parent-entry <key>', 'make this entry the parent of each one')
    .option('--child <key>', 'make this entry a child of the one that is put; may be repeated', collect)
    .option('-n, --dry-run', 'only say what would be put')
    .option('-x, --exclude <glob>', 'leave out what matches, as in .gitignore; may be repeated', collect)
    .option('--follow', 'follow symbolic links inside folders (those you name are followed always)')
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: PutFlags) => put(session, paths, flags));
}
