/**
 * Files of a form, as they come: nothing of one is held but what is on its way.
 * @see RFC 7578 (multipart/form-data)
 */
import { on, once } from 'node:events';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import {
  SERVER_BATCH_MAX,
  SERVER_FORM_FIELD_BYTES_MAX,
  SERVER_FORM_FIELDS_MAX,
  SERVER_FORM_HEADER_BYTES_MAX,
} from '../../limits.ts';

/** A file of a form; to be read to its end before the next one comes. */
export interface FormFile {
  /** As the form calls it, without folders; may be empty. */
  readonly name: string;
  readonly type: string;
  readonly content: AsyncIterable<Uint8Array>;
}

const LIMITS = {
  files: SERVER_BATCH_MAX,
  fields: SERVER_FORM_FIELDS_MAX,
  parts: SERVER_BATCH_MAX + SERVER_FORM_FIELDS_MAX,
  fieldSize: SERVER_FORM_FIELD_BYTES_MAX,
  headerSize: SERVER_FORM_HEADER_BYTES_MAX,
};

/** What the parser says of a form is a mistake of who sent it; what the body throws has a name already. */
function formError(error: unknown): unknown {
  if (isStoreError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return storeError('REQUEST_INVALID', `the form cannot be read: ${message}`, {
    details: { field: 'body' },
    cause: error,
  });
}

function openParser(contentType: string): BusboyInstance {
  try {
    const isPartAFile = (_: unknown, __: unknown, name: string | undefined): boolean => name !== undefined;
    return new Busboy({ headers: { 'content-type': contentType }, limits: LIMITS, isPartAFile });
  } catch (error) {
    throw formError(error);
  }
}

async function feed(body: AsyncIterable<Uint8Array>, parser: BusboyInstance, signal: AbortSignal): Promise<void> {
  for await (const piece of body) {
    signal.throwIfAborted();
    if (!parser.write(piece)) await once(parser, 'drain', { signal });
  }
  parser.end();
}

async function* contentOf(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw formError(error);
  }
}

/** Ends everything with the first thing that is wrong. */
class Failing {
  readonly #stop = new AbortController();
  readonly #streams: Readable[] = [];
  error: unknown;

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  watch(stream: Readable): void {
    // One that nobody reads any more may still fail.
    stream.on('error', () => undefined);
    this.#streams.push(stream);
  }

  fail(error: unknown): void {
    this.error ??= error;
    this.stop();
  }

  stop(): void {
    this.#stop.abort();
    for (const stream of this.#streams) if (!stream.readableEnded) stream.destroy(this.error as Error | undefined);
  }
}

/**
 * @param contentType of the body, with its boundary
 * @throws `invalid/REQUEST_INVALID` for what is no form, and for one of too many parts; what the body throws
 */
export async function* formFiles(body: AsyncIterable<Uint8Array>, contentType: string): AsyncGenerator<FormFile> {
  const parser = openParser(contentType);
  const failing = new Failing();
  parser.on('error', (error: unknown) => failing.fail(error));
  parser.on('file', (_, stream) => failing.watch(stream));
  for (const event of ['filesLimit', 'fieldsLimit', 'partsLimit'])
    parser.on(event, () => failing.fail(storeError('REQUEST_INVALID', 'the form has too many parts')));
  const files = on(parser, 'file', { close: ['finish'], signal: failing.signal });
  const feeding = feed(body, parser, failing.signal).catch((error: unknown) => failing.fail(error));
  try {
    for await (const [, stream, name, , type] of files)
      yield { name: name ?? '', type, content: contentOf(stream as Readable) };
    // Behind the last part may come what makes the whole body wrong.
    await feeding;
  } catch (error) {
    failing.fail(error);
  } finally {
    failing.stop();
    await feeding;
  }
  if (failing.error !== undefined) throw formError(failing.error);
}
