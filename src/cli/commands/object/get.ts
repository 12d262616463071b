import type { Command } from 'commander';
import type { Entries, ObjectReference } from '../../../index.ts';
import { writeFileAtomically } from '../../files/atomic-file.ts';
import { letContentThrough } from '../../heap.ts';
import { ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { formatBytes } from '../../text/format-bytes.ts';
import { findMeant } from './find.ts';

interface GetFlags {
  readonly output?: string;
  readonly canonical?: boolean;
}

/** Of a blob its bytes, of everything else JSON: as it is stored, or for people to read. */
async function* bytesOf(
  session: Session,
  { objects }: Entries,
  request: { readonly reference: ObjectReference; readonly canonical: boolean },
): AsyncGenerator<Uint8Array> {
  const { reference, canonical } = request;
  const { id, type } = reference;
  const { signal } = session;
  if (type === 'raw' || (type === 'blob' && !canonical)) yield* objects.readBlob(id, { lent: true, signal });
  else if (canonical) yield* objects.read(id, { signal });
  else {
    const object = await objects.get(id, { signal });
    yield Buffer.from(`${JSON.stringify(object, undefined, session.options.json ? 0 : 2)}\n`);
  }
}

async function get(session: Session, address: string, { output, canonical = false }: GetFlags): Promise<void> {
  letContentThrough('stream out');
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { reference } = await findMeant(session, entries, address);
  const content = bytesOf(session, entries, { reference, canonical });
  if (output !== undefined && output !== '-') {
    using meter = new ProgressMeter(session, 'get');
    await writeFileAtomically(output, content, { onBytes: (bytes) => meter.addBytes(bytes) });
    meter.stop();
    const value = { ...reference, path: output, bytes: meter.bytes };
    const text = (): string => `${reference.id} -> ${session.shown(output)}  ${formatBytes(meter.bytes)}`;
    if (session.options.json || session.options.verbose) await session.confirm(value, text);
    return;
  }
  await session.terminal.printContent(content, { isText: output === undefined });
}

const EXAMPLES = `
Examples:
  $ holdfast object get 8805acaf -o report.pdf
  $ holdfast object get photos:docs/report.pdf > report.pdf
  $ holdfast object get latest --json | jq .content.tree
  $ holdfast object get latest --canonical | b3sum          # prints the id`;

/** Defines `holdfast object get`. */
export function addObjectGet(group: Command, session: Session): void {
  group
    .command('get')
    .summary('print an object')
    .description('Prints the bytes of a blob, and other objects as JSON. Everything is verified before it is printed.')
    .argument('<id>', 'id, the beginning of one, or an address')
    .option('-o, --output <path>', 'file to write; - for standard output')
    .option('--canonical', 'the very bytes that the id is the digest of')
    .addHelpText('after', EXAMPLES)
    .action((address: string, flags: GetFlags) => get(session, address, flags));
}
