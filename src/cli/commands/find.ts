import type { Command } from 'commander';
import { compileGlob } from '../files/glob.ts';
import { parseCount } from '../options.ts';
import type { Session } from '../session.ts';

interface FindFlags {
  readonly limit?: number;
}

async function find(session: Session, pattern: string, request: { prefix: string | undefined; flags: FindFlags }) {
  const { prefix, flags } = request;
  const { limit = Number.MAX_SAFE_INTEGER } = flags;
  const matches = compileGlob(pattern, 'find');
  await using store = await session.openStore({ readOnly: true });
  let count = 0;
  const options = { signal: session.signal, ...(prefix !== undefined && { prefix }) };
  for await (const entry of session.entriesOf(store).list(options)) {
    if (count === limit) return;
    if (!matches(entry.key, false)) continue;
    count += 1;
    await session.result(entry, () => session.shown(entry.key));
  }
}

/** Defines `holdfast find`. */
export function addFind(program: Command, session: Session): void {
  program
    .command('find')
    .summary('find entries by what their keys are like')
    .description('Lists entries whose keys match a pattern as in .gitignore, by key in byte order.')
    .argument('<pattern>', 'such as "*.pdf", or "2024/**/*.jpg"')
    .argument('[prefix]', 'only keys that begin with this')
    .option('--limit <count>', 'at most so many', parseCount)
    .addHelpText(
      'after',
      '\nWithout a "/" inside, a pattern is about what follows the last "/" of a key; with one, about the whole key.' +
        '\nFiles in snapshots: `holdfast snapshot find`.\n\nExample:\n  $ holdfast find "*.pdf" reports/',
    )
    .action((pattern: string, prefix: string | undefined, flags: FindFlags) =>
      find(session, pattern, { prefix, flags }),
    );
}
