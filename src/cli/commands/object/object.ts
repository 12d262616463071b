import type { Command } from 'commander';
import type { Session } from '../../session.ts';
import { addObjectGet } from './get.ts';
import { addObjectList } from './list.ts';
import { addObjectPut } from './put.ts';
import { addObjectVerify } from './verify.ts';

/** Defines `holdfast object` and everything below it. */
export function addObject(program: Command, session: Session): void {
  const group = program
    .command('object')
    .summary('immutable objects, named by what they are')
    .description(
      'Puts, reads and verifies objects: blobs, bundles, trees and snapshots. Each is named by the BLAKE3 digest of ' +
        'its bytes. An object is meant by its id, the beginning of it, or an address such as photos~1:docs/a.txt.',
    )
    .helpCommand(false);
  for (const add of [addObjectPut, addObjectGet, addObjectList, addObjectVerify]) add(group, session);
}
