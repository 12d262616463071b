/** Content on its way out: whole, in parts, or not at all because the reader has it. */
import { z } from '@hono/zod-openapi';
import { isStoreError } from '../../errors/store-error.ts';
import type { WhichVersion } from '../../index.ts';
import { SERVER_WHOLE_BYTES_MAX } from '../../limits.ts';
import { holdsIfRange, isKnown } from '../http/conditions.ts';
import { entryHeaders, type SentEntry } from '../http/entry-headers.ts';
import { partsOf } from '../http/multipart-ranges.ts';
import { formatContentRange, parseRanges, type Range } from '../http/ranges.ts';
import { sendStream } from '../http/stream-answer.ts';
import { type Call, route } from '../route.ts';
import { keySchema } from '../schemas.ts';

/** Between asking what an entry is and reading it, somebody may replace it so many times. */
const ATTEMPTS_MAX = 5;

interface Found {
  readonly entry: SentEntry;
  read(range?: Range): AsyncIterable<Uint8Array>;
}

async function* once(read: () => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await read();
}

async function find(call: Call, key: string, which: WhichVersion | undefined): Promise<Found> {
  const { entries, signal, readAheadBytes } = call;
  if (which === undefined) {
    const entry = await entries.stat(key, { signal });
    const { version: ifMatch, size } = entry;
    // What is sent whole is read whole: a stream of the library takes more than a small content.
    const read: Found['read'] = (range) =>
      range || size > SERVER_WHOLE_BYTES_MAX
        ? entries.read(key, { ...range, ifMatch, signal, readAheadBytes })
        : once(() => entries.get(key, { ifMatch, signal }));
    return { entry, read };
  }
  const version = await entries.versions.stat(key, which, { signal });
  const exactly = { version: version.version };
  return {
    entry: { ...version, modified: version.from },
    read: (range) => entries.versions.read(key, exactly, { ...range, signal, readAheadBytes }),
  };
}

async function* piecesOf(parts: Iterable<AsyncIterable<Uint8Array> | Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else yield* part;
  }
}

function sendRanges(call: Call, { entry, read }: Found, ranges: readonly Range[]): Promise<Response> {
  const headers = entryHeaders(entry);
  const [only] = ranges;
  if (ranges.length === 1 && only) {
    headers.set('content-range', formatContentRange(only, entry.size));
    headers.set('content-length', `${only.length}`);
    return sendStream(call, read(only), { status: 206, headers });
  }
  const { contentType, length, parts } = partsOf(ranges, {
    size: entry.size,
    type: headers.get('content-type') ?? '',
    read,
  });
  headers.set('content-type', contentType);
  headers.set('content-length', `${length}`);
  return sendStream(call, piecesOf(parts), { status: 206, headers });
}

async function answer(call: Call, found: Found): Promise<Response> {
  const { entry, read } = found;
  const { headers: asked, method } = call.request;
  const validators = { version: entry.version, modified: entry.modified };
  const headers = entryHeaders(entry);
  if (isKnown(asked, validators)) return new Response(null, { status: 304, headers });
  headers.set('content-length', `${entry.size}`);
  // A range is defined for GET alone (RFC 9110, 14.2).
  if (method === 'HEAD') return new Response(null, { headers });
  const ranges = holdsIfRange(asked, validators) ? parseRanges(asked.get('range'), entry.size) : undefined;
  return ranges ? sendRanges(call, found, ranges) : sendStream(call, read(), { headers });
}

function whichOf({
  version,
  number,
  at,
}: {
  version?: string | undefined;
  number?: number | undefined;
  at?: string | undefined;
}): WhichVersion | undefined {
  if (version !== undefined) return { version };
  if (number !== undefined) return { number };
  return at === undefined ? undefined : { at };
}

export const getFile = route({
  method: 'get',
  path: '/files/{key}',
  about: 'entries',
  verb: 'read',
  summary: 'Read content, or a range of it',
  description: `Every byte is verified before it is sent. An answer that cannot be finished is cut off, so that it is never taken for a
whole one. HEAD tells the same without the content. An earlier version is asked for by version, number or at.`,
  params: { key: keySchema },
  query: {
    version: z.string().optional().describe('an earlier version, by its id or the beginning of that'),
    number: z.coerce.number<string>().int().min(1).optional().describe('an earlier version, by its number'),
    at: z.string().optional().describe('what it was at a time: ISO 8601'),
  },
  headers: {
    range: 'bytes=0-99, bytes=100-, bytes=-100, or several with commas',
    'if-range': 'send the range if this is still the ETag, else everything',
    'if-none-match': 'ETags that the reader has: 304 for one of them',
    'if-match': 'send this version only',
  },
  answers: {
    200: { description: 'everything', mediaType: '*/*' },
    206: { description: 'the ranges; several as multipart/byteranges', mediaType: '*/*' },
    304: { description: 'the reader has it' },
  },
  async handle(call) {
    const { key } = call.params;
    const which = whichOf(call.query);
    for (let attempt = 1; ; attempt += 1) {
      const found = await find(call, key, which);
      try {
        return await answer(call, found);
      } catch (error) {
        // Replaced since it was looked at: what it is now is as good an answer. A condition of the client's fails each time.
        if (!isStoreError(error, 'PRECONDITION_FAILED', 'ENTRY_NOT_FOUND') || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  },
});
