/** Every target there is. To add one: `docs/reliability/fuzzing.md`, section "Adding a target". */
import type { FuzzTarget } from '../harness/fuzz-target.ts';
import { ARCHIVE_TARGETS } from './archives.ts';
import { COMMAND_LINE_TARGETS } from './command-lines.ts';
import { CONFIG_TARGETS } from './configs.ts';
import { ENTRY_TARGETS } from './entries.ts';
import { IMPORT_TARGETS } from './imports.ts';
import { INBOX_TARGETS } from './inbox.ts';
import { KEY_TARGETS } from './keys.ts';
import { OBJECT_TARGETS } from './objects.ts';
import { PACK_TARGETS } from './packs.ts';
import { PROOF_TARGETS } from './proofs.ts';
import { SEALING_TARGETS } from './sealing.ts';
import { SHARD_TARGETS } from './shards.ts';
import { TEXT_TARGETS } from './texts.ts';

export const TARGETS: readonly FuzzTarget[] = [
  ...PACK_TARGETS,
  ...SHARD_TARGETS,
  ...CONFIG_TARGETS,
  ...KEY_TARGETS,
  ...SEALING_TARGETS,
  ...ENTRY_TARGETS,
  ...INBOX_TARGETS,
  ...PROOF_TARGETS,
  ...OBJECT_TARGETS,
  ...TEXT_TARGETS,
  ...ARCHIVE_TARGETS,
  ...IMPORT_TARGETS,
  ...COMMAND_LINE_TARGETS,
];
