import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Entries, JsonObject, ObjectPutResult, StructuredObject } from '../../../index.ts';
import { fileError } from '../../file-error.ts';
import { readText } from '../../files/read-text.ts';
import { loadLibrary } from '../../library.ts';
import { ProgressMeter } from '../../progress/meter.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';

interface PutFlags {
  readonly type: 'blob' | 'bundle' | 'tree' | 'snapshot';
  readonly data?: string;
  readonly metadata?: string;
}

const STDIN = '-';

function checkSource(file: string | undefined, { data }: PutFlags): void {
  if ((file === undefined) === (data === undefined))
    throw usageError('name one FILE (- for standard input), or --data');
}

async function parseMetadata(text: string | undefined): Promise<{ readonly metadata?: JsonObject }> {
  if (text === undefined) return {};
  const { parseJsonStrict } = await loadLibrary();
  const metadata = parseJsonStrict(text, 'metadata');
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw usageError('--metadata is a JSON object such as {"title":"draft"}');
  return { metadata: metadata as JsonObject };
}

async function putBlob(
  session: Session,
  { objects }: Entries,
  request: { readonly file: string | undefined; readonly flags: PutFlags },
): Promise<ObjectPutResult> {
  const { file, flags } = request;
  const metadata = await parseMetadata(flags.metadata);
  using meter = new ProgressMeter(session, 'put');
  let seen = 0;
  const onProgress = ({ bytes }: { readonly bytes: number }): void => {
    meter.addBytes(bytes - seen);
    seen = bytes;
  };
  const options = { ...metadata, signal: session.signal, onProgress };
  if (flags.data !== undefined) return await objects.putBlob(flags.data, options);
  if (file === STDIN) {
    session.claimStdin('the bytes');
    return await objects.putBlob(process.stdin, options);
  }
  try {
    return await objects.putBlob(createReadStream(file as string), options);
  } catch (error) {
    throw fileError(error, file as string, 'read');
  }
}

async function textOf(session: Session, file: string | undefined, { data }: PutFlags): Promise<string> {
  if (data !== undefined) return data;
  if (file !== STDIN) return await readText(file as string);
  session.claimStdin('the object');
  return Buffer.concat(await Array.fromAsync(process.stdin)).toString('utf8');
}

/** What the JSON of a user makes: the whole of an object's content; of a tree its list of children will do. */
async function structuredOf(text: string, { type, metadata: written }: PutFlags): Promise<StructuredObject> {
  const { parseJsonStrict } = await loadLibrary();
  const value = parseJsonStrict(text, type);
  const content = type === 'tree' && Array.isArray(value) ? { entries: value } : value;
  // Whether it is one is for the store to judge.
  return { type, content, ...(await parseMetadata(written)) } as unknown as StructuredObject;
}

async function put(session: Session, file: string | undefined, flags: PutFlags): Promise<void> {
  checkSource(file, flags);
  const object = flags.type === 'blob' ? undefined : await structuredOf(await textOf(session, file, flags), flags);
  await using store = await session.openStore();
  const entries = session.entriesOf(store);
  const result = object
    ? await entries.objects.put(object, { signal: session.signal })
    : await putBlob(session, entries, { file, flags });
  await session.result(result, () => result.id);
}

const EXAMPLES = `
Prints the id. The same object has the same id everywhere, and is stored once. What refers to other objects is
stored only when they are there. A tree is a list of children: {"name","type","id"} and, of files and folders,
"mode", "mtime" and "size"; a snapshot has "tree", "entries" or "bundles", and "parent".

Examples:
  $ holdfast object put report.pdf --metadata '{"title":"Report"}'
  $ holdfast object put --type bundle --data '{"operations":[]}'
  $ echo '{"bundles":["b7f7..."]}' | holdfast object put --type snapshot -`;

/** Defines `holdfast object put`. */
export function addObjectPut(group: Command, session: Session): void {
  group
    .command('put')
    .summary('store an object, print its id')
    .description('Stores bytes, or JSON that is an object of the type given, and prints its id.')
    .argument('[file]', 'where it is; - for standard input')
    .addOption(
      new Option('-t, --type <type>', 'what it is').choices(['blob', 'bundle', 'tree', 'snapshot']).default('blob'),
    )
    .option('--data <text>', 'the text itself, in place of a file')
    .option('--metadata <json>', 'an object that is part of its identity')
    .addHelpText('after', EXAMPLES)
    .action((file: string | undefined, flags: PutFlags) => put(session, file, flags));
}
