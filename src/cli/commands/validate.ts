import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import { isStoreError } from '../../errors/store-error.ts';
import type { Entries, EntryProblem, EntryValidation } from '../../index.ts';
import { followProgress, ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls, formatCount } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';
import { openToVerify } from './scrub.ts';

interface ValidateFlags {
  readonly all?: boolean;
  readonly prefix?: string;
  readonly after?: string;
  readonly sharedOnce?: boolean;
  readonly dryRun?: boolean;
}

const PROBLEMS_SHOWN_MAX = 10;

const WORD: Readonly<Record<EntryValidation['outcome'], string>> = { ok: 'OK', damaged: 'FAIL', partial: 'PARTIAL' };
const WORD_WIDTH = 7;

function problemLine({ code, message, offset, length }: EntryProblem): string {
  const place =
    offset === undefined ? '' : `bytes ${formatCount(offset)} to ${formatCount(offset + (length ?? 0) - 1)}: `;
  return `${' '.repeat(WORD_WIDTH)}  ${place}${code}: ${escapeControls(message)}`;
}

function describe(session: Session, found: EntryValidation): string {
  const { outcome, key, size, unreadableBytes, problems, problemCount } = found;
  const head = `${WORD[outcome].padEnd(WORD_WIDTH)}  ${session.shown(key)}`;
  if (outcome === 'ok') return `${head}  ${formatBytes(size)}`;
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX);
  const rest = problemCount - shown.length;
  return [
    `${head}  ${formatBytes(unreadableBytes)} of ${formatBytes(size)} cannot be read`,
    ...shown.map(problemLine),
    ...(rest > 0 ? [`${' '.repeat(WORD_WIDTH)}  and ${formatCount(rest)} more: --json lists the first thousand`] : []),
  ].join('\n');
}

/** Counts what was found, and says how it ended. */
class Tally {
  readonly #session: Session;
  readonly #counts = { ok: 0, damaged: 0, partial: 0 };
  #bytes = 0;
  last: string | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  async take(found: EntryValidation): Promise<void> {
    this.#counts[found.outcome] += 1;
    this.#bytes += found.bytesRead;
    const text = (): string => describe(this.#session, found);
    // That an entry is fine is a confirmation; that it is not is what was asked for.
    if (found.outcome === 'ok') await this.#session.confirm(found, text);
    else await this.#session.result(found, text);
    if (found.outcome === 'damaged') this.#session.endWith(EXIT_STATUS.corrupt);
    this.last = found.key;
  }

  async end(): Promise<void> {
    const { options, terminal } = this.#session;
    const counts = this.#counts;
    if (counts.partial > 0) this.#session.endWith(EXIT_STATUS.unavailable);
    if (options.json) {
      if (!options.quiet) terminal.note(JSON.stringify({ summary: { ...counts, bytesRead: this.#bytes } }));
      return;
    }
    await this.#session.conclude(this.sentence());
  }

  sentence(): string {
    const { ok, damaged, partial } = this.#counts;
    const what = `validated ${countOf(ok + damaged + partial, 'entry', 'entries')}, ${formatBytes(this.#bytes)} read`;
    const away = partial > 0 ? `, ${formatCount(partial)} on a backend that is away` : '';
    return `${what}: ${formatCount(damaged)} damaged${away}`;
  }
}

function check(keys: readonly string[], { all, prefix, after }: ValidateFlags): void {
  const ways = [keys.length > 0, prefix !== undefined, all === true].filter(Boolean).length;
  if (ways === 0) throw usageError('name the KEYs to validate, --prefix P, or --all');
  if (ways > 1) throw usageError('give KEYs, --prefix or --all: one of them');
  if (keys.length > 0 && after !== undefined) throw usageError('--after goes with --prefix or --all');
}

async function validateKeys(
  entries: Entries,
  keys: readonly string[],
  context: { readonly session: Session; readonly tally: Tally; readonly meter: ProgressMeter },
): Promise<void> {
  const { session, tally, meter } = context;
  for (const [index, key] of keys.entries()) {
    let before = 0;
    const onProgress = ({ bytes }: { readonly bytes: number }): void => {
      meter.addBytes(bytes - before);
      before = bytes;
    };
    meter.setItems(index);
    try {
      await tally.take(await entries.validate(key, { onProgress, signal: session.signal }));
    } catch (error) {
      // One of several that is not there must not hide the others.
      if (keys.length === 1 || !isStoreError(error, 'ENTRY_NOT_FOUND')) throw error;
      session.report(error);
    }
  }
}

async function validate(session: Session, keys: readonly string[], flags: ValidateFlags): Promise<void> {
  check(keys, flags);
  const { prefix, after, sharedOnce = false, dryRun = false } = flags;
  using meter = new ProgressMeter(session, 'validate');
  // What is found is listed here; the engine need not tell it too.
  const logger = { ...session.logger(), error: session.logger().debug };
  await using store = await openToVerify(session, { readOnly: dryRun, logger });
  const entries = session.entriesOf(store);
  const tally = new Tally(session);
  if (keys.length > 0) {
    await validateKeys(entries, keys, { session, tally, meter });
  } else {
    const which = { ...(prefix !== undefined && { prefix }), ...(after !== undefined && { after }), sharedOnce };
    try {
      const found = entries.validateAll({ ...which, signal: session.signal, onProgress: followProgress(meter) });
      for await (const one of found) await tally.take(one);
    } catch (error) {
      if (tally.last !== undefined && !session.options.json)
        session.terminal.note(`holdfast: ${tally.sentence()}; --after ${JSON.stringify(tally.last)} goes on from here`);
      throw error;
    }
  }
  meter.stop();
  await tally.end();
}

const HELP = `
Exit status: 0 every entry is what it should be, 6 some are damaged, 7 some are on a backend that is away.

"verify" reads every shard, and needs no key: what is to be repaired. "validate" reads what a user would
get: which entries can be trusted. "check" reads no content at all.

Examples:
  $ holdfast validate report.pdf
  $ holdfast validate --all --json | jq -r 'select(.outcome != "ok").key'
  $ holdfast validate --all --after photos/2024/1.jpg     # go on where a run was stopped`;

/** Defines `holdfast validate`. */
export function addValidate(program: Command, session: Session): void {
  program
    .command('validate')
    .summary('read entries and prove that they are what was put')
    .description(
      'Reads entries whole, through keys and decompression, and hashes everything anew. Nothing is kept of the ' +
        'content. Tells each entry, and of a damaged one each place that cannot be read; goes on past them.',
    )
    .argument('[keys...]', 'the entries')
    .option('--all', 'every entry')
    .option('-p, --prefix <prefix>', 'every entry whose key begins with this')
    .option('--after <key>', 'with --all or --prefix: only what comes after this entry')
    .option(
      '--shared-once',
      'read chunks that entries share once: quicker, and without the digest of the whole content',
    )
    .option('--dry-run', 'do not even flag what is damaged')
    .addHelpText('after', HELP)
    .action((keys: string[], flags: ValidateFlags) => validate(session, keys, flags));
}
