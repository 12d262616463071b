import type { Command } from 'commander';
import type { Entries, EntryInfo, MoveOptions } from '../../index.ts';
import type { Session } from '../session.ts';

interface MoveFlags {
  readonly force?: boolean;
}

interface MoveCommand {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  move(entries: Entries, names: { from: string; to: string }, options: MoveOptions): Promise<EntryInfo>;
}

const COMMANDS: readonly MoveCommand[] = [
  {
    name: 'mv',
    summary: 'rename an entry',
    description: 'Gives an entry another key. No bytes move.',
    move: (entries, { from, to }, options) => entries.rename(from, to, options),
  },
  {
    name: 'cp',
    summary: 'copy an entry',
    description: 'Gives the content of an entry a second key. No bytes are copied: both share their chunks.',
    move: (entries, { from, to }, options) => entries.copy(from, to, options),
  },
];

/** Defines `holdfast mv` and `holdfast cp`, which differ in one call. */
export function addMove(program: Command, session: Session): void {
  for (const { name, summary, description, move } of COMMANDS) {
    program
      .command(name)
      .summary(summary)
      .description(description)
      .argument('<from>', 'the entry')
      .argument('<to>', 'its new key; an entry of that key is an error (exit 4) without --force')
      .option('-f, --force', 'replace what the new key names')
      .addHelpText('after', `\nExample:\n  $ holdfast ${name} draft.txt final.txt`)
      .action(async (from: string, to: string, flags: MoveFlags) => {
        await using store = await session.openStore();
        const options = { replace: flags.force === true, signal: session.signal };
        const entry = await move(session.entriesOf(store), { from, to }, options);
        const { json, verbose } = session.options;
        if (json || verbose) await session.confirm(entry, () => `${session.shown(from)} -> ${session.shown(to)}`);
      });
  }
}
