import type { Command } from 'commander';
import type { Session } from '../../session.ts';
import { addContents } from './contents.ts';
import { addCreate } from './create.ts';
import { addDiff } from './diff.ts';
import { addExport } from './export.ts';
import { addFind } from './find.ts';
import { addForget } from './forget.ts';
import { addHistory } from './history.ts';
import { addImport } from './import.ts';
import { addMerge } from './merge.ts';
import { addRestore } from './restore.ts';
import { addSignatures } from './signatures.ts';

const HELP = `
A snapshot never changes. A ref names the newest of a series; its history holds those before it.

Addresses:
  photos           what the ref photos names          latest           the newest snapshot of all refs
  photos~2         two snapshots before it            3f9a2c           the one whose id begins so
  photos@{1}       what photos named one move ago     photos@{2026-01-31}, photos@{yesterday}
  photos:2024      what lies at that path in it; goes behind any of these

Examples:
  $ holdfast snapshot create photos
  $ holdfast snapshot list
  $ holdfast snapshot diff photos~1 photos
  $ holdfast snapshot restore photos:2024 --to found
  $ holdfast snapshot forget photos --keep-daily 7 --keep-monthly 12 --dry-run`;

/** Defines `holdfast snapshot` and everything below it. */
export function addSnapshot(program: Command, session: Session): void {
  const group = program
    .command('snapshot')
    .summary('folders as they were at one moment, and back')
    .description('Makes, shows, compares, restores and forgets snapshots: of folders, archives and entries.')
    .helpCommand(false)
    .addHelpText('after', HELP);
  const looking = [addHistory, addContents, addFind, addDiff];
  const moving = [addRestore, addExport, addImport, addMerge, addForget, addSignatures];
  for (const add of [addCreate, ...looking, ...moving]) add(group, session);
}
