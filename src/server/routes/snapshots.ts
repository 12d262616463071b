/** Folders, archives and entries as they were. */
import { z } from '@hono/zod-openapi';
import { storeError } from '../../errors/store-error.ts';
import type { PutOptions, TreeChild } from '../../index.ts';
import { given } from '../given.ts';
import { openBody } from '../http/body.ts';
import { demandCondition } from '../http/conditions.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { sendLines, sendStream } from '../http/stream-answer.ts';
import { type ZipItem, zipOf } from '../http/zip-stream.ts';
import { storedAnswer } from '../put-content.ts';
import { type Call, route } from '../route.ts';
import { addressSchema, keySchema, LINES, storedSchema } from '../schemas.ts';

const refOptions = {
  ref: z.string().optional().describe('moves to the snapshot, in the same commit'),
  message: z.string().optional().describe('said of the move'),
};

const reportSchema = z.looseObject({ id: z.string(), files: z.int(), bytes: z.int(), failed: z.int() });
const created = { 201: { description: 'what went in, and what did not', schema: reportSchema } };

export const listSnapshots = route({
  method: 'get',
  path: '/snapshots',
  about: 'entries',
  verb: 'read',
  summary: 'Snapshots that refs name or named, newest first',
  query: { ref: z.string().optional().describe('only those of this ref') },
  answers: { 200: { description: 'a snapshot a line', mediaType: LINES } },
  handle: (call) => sendLines(call, call.entries.snapshots.list({ ...given(call.query), signal: call.signal })),
});

export const createSnapshot = route({
  method: 'post',
  path: '/snapshots',
  about: 'entries',
  verb: 'write',
  summary: 'Freeze entries, with attributes and relations; no bytes are copied',
  json: z.strictObject({ prefix: z.string().describe('of those whose keys begin so'), ...refOptions }),
  answers: created,
  handle: async ({ entries, json: { prefix, ...options }, signal }) =>
    jsonAnswer(await entries.snapshots.create({ prefix }, { ...given(options), signal }), 201),
});

export const uploadSnapshot = route({
  method: 'post',
  path: '/snapshots/tar',
  about: 'entries',
  verb: 'write',
  summary: 'Make a snapshot of an archive: tar, plain or compressed with gzip or zstd',
  query: refOptions,
  body: 'application/x-tar',
  answers: created,
  async handle(call) {
    const tar = openBody(call, call.settings.limits.bodyBytesMax);
    const options = { ...given(call.query), signal: call.signal };
    return jsonAnswer(await call.entries.snapshots.create({ tar }, options), 201);
  },
});

export const snapshotLog = route({
  method: 'get',
  path: '/snapshots/log',
  about: 'entries',
  verb: 'read',
  summary: 'A snapshot and those before it',
  query: { address: addressSchema },
  answers: { 200: { description: 'an object a line', mediaType: LINES } },
  handle: (call) => sendLines(call, call.entries.snapshots.log(call.query.address, { signal: call.signal })),
});

export const snapshotNames = route({
  method: 'get',
  path: '/snapshots/names',
  about: 'entries',
  verb: 'read',
  summary: 'What lies in a folder of a snapshot',
  query: { address: addressSchema, recursive: z.enum(['true', 'false']).optional() },
  answers: { 200: { description: 'a name a line: path, and what the tree says of it', mediaType: LINES } },
  handle({ entries, query, signal, ...call }) {
    const options = { recursive: query.recursive === 'true', signal };
    return sendLines(call, entries.snapshots.names(query.address, options));
  },
});

export const diffSnapshots = route({
  method: 'get',
  path: '/snapshots/diff',
  about: 'entries',
  verb: 'read',
  summary: 'What differs between two snapshots, or folders of them',
  query: { from: addressSchema, to: addressSchema },
  answers: { 200: { description: 'a difference a line, in the order of paths', mediaType: LINES } },
  handle: (call) =>
    sendLines(call, call.entries.snapshots.diff(call.query.from, call.query.to, { signal: call.signal })),
});

/** The blob that an address names, and what its folder says of it. @throws `invalid/OBJECT_WRONG_TYPE` for folders and links */
async function blobAt({ entries, signal }: Call, address: string): Promise<{ id: string; child?: TreeChild }> {
  const { reference, child } = await entries.objects.find(address, { signal });
  const { id: object, type } = reference;
  if (child?.type !== 'link' && (type === 'raw' || type === 'blob')) return { id: object, ...(child && { child }) };
  const details = { object, expected: 'raw', actual: child?.type ?? type };
  throw storeError('OBJECT_WRONG_TYPE', 'the address is no file', { details });
}

/** What a frozen entry had beside its content. */
function frozenOptions(child: TreeChild | undefined): Pick<PutOptions, 'contentType' | 'attributes'> {
  if (child?.type !== 'entry') return {};
  const { contentType, attributes } = child as Pick<PutOptions, 'contentType' | 'attributes'>;
  return given({ contentType, attributes });
}

export const snapshotFile = route({
  method: 'get',
  path: '/snapshots/file',
  about: 'entries',
  verb: 'read',
  summary: 'The content of a file in a snapshot',
  query: { address: addressSchema },
  answers: { 200: { description: 'the content', mediaType: 'application/octet-stream' } },
  async handle(call) {
    const { entries, query, signal, readAheadBytes } = call;
    const { id } = await blobAt(call, query.address);
    const headers = new Headers({ 'content-type': 'application/octet-stream', etag: `"${id}"` });
    return sendStream(call, entries.objects.readBlob(id, { signal, readAheadBytes }), { headers });
  },
});

const MEDIA_TYPES = { none: 'application/x-tar', gzip: 'application/gzip', zstd: 'application/zstd' } as const;

export const downloadSnapshot = route({
  method: 'get',
  path: '/snapshots/tar',
  about: 'entries',
  verb: 'read',
  summary: 'A snapshot, or a folder of it, as an archive',
  query: { address: addressSchema, compression: z.enum(['none', 'gzip', 'zstd']).optional() },
  answers: { 200: { description: 'tar, as POSIX has it', mediaType: Object.values(MEDIA_TYPES) } },
  handle({ entries, query, signal, ...call }) {
    const { compression = 'none' } = query;
    const headers = new Headers({ 'content-type': MEDIA_TYPES[compression] });
    return sendStream(call, entries.snapshots.exportTar(query.address, { compression, signal }), { headers });
  },
});

/** What a snapshot has that an archive can hold: files, entries and folders. */
async function* zipItems({ entries, signal, readAheadBytes }: Call, address: string): AsyncGenerator<ZipItem> {
  const content = (id: string): AsyncIterable<Uint8Array> => entries.objects.readBlob(id, { signal, readAheadBytes });
  for await (const { path, child } of entries.snapshots.names(address, { recursive: true, signal })) {
    if (child.type === 'folder') yield { path, modified: child.mtime, mode: child.mode };
    if (child.type === 'file') yield { path, modified: child.mtime, mode: child.mode, content: content(child.id) };
    if (child.type === 'entry') yield { path, modified: child.modified, content: content(child.id) };
  }
}

export const zipSnapshot = route({
  method: 'get',
  path: '/snapshots/zip',
  about: 'entries',
  verb: 'read',
  summary: 'A snapshot, or a folder of it, as a zip archive: files and folders, without links',
  query: { address: addressSchema },
  answers: { 200: { description: 'zip, not compressed', mediaType: 'application/zip' } },
  handle(call) {
    const headers = new Headers({ 'content-type': 'application/zip' });
    return sendStream(call, zipOf(zipItems(call, call.query.address)), { headers });
  },
});

export const exportSnapshot = route({
  method: 'get',
  path: '/snapshots/export',
  about: 'entries',
  verb: 'read',
  summary: 'A snapshot with everything it holds, in the format that other stores import and verify',
  query: {
    address: addressSchema,
    history: z.enum(['true', 'false']).optional().describe('the snapshots before it too; default true'),
  },
  answers: { 200: { description: 'the file', mediaType: 'application/octet-stream' } },
  handle(call) {
    const { address, history } = call.query;
    const headers = new Headers({ 'content-type': 'application/octet-stream' });
    const options = { history: history !== 'false', signal: call.signal };
    return sendStream(call, call.entries.snapshots.export(address, options), { headers });
  },
});

export const importSnapshot = route({
  method: 'post',
  path: '/snapshots/import',
  about: 'entries',
  verb: 'write',
  summary: 'Take such a file in; no ref names it before all of it was verified',
  query: refOptions,
  body: 'application/octet-stream',
  answers: {
    201: { description: 'what came in', schema: z.looseObject({ id: z.string(), objects: z.int(), blobs: z.int() }) },
  },
  async handle(call) {
    const file = openBody(call, call.settings.limits.bodyBytesMax);
    const options = { ...given(call.query), signal: call.signal };
    return jsonAnswer(await call.entries.snapshots.import(file, options), 201);
  },
});

export const mergeSnapshots = route({
  method: 'post',
  path: '/snapshots/merge',
  about: 'entries',
  verb: 'write',
  summary: 'Merge what two snapshots made of the one that both come from',
  description: 'With conflicts nothing is stored, unless favour says whose side they are decided for.',
  json: z.strictObject({
    ours: addressSchema,
    theirs: addressSchema,
    base: addressSchema.optional().describe('what both come from; default: their best common ancestor'),
    favour: z.enum(['ours', 'theirs']).optional(),
    dryRun: z.boolean().optional(),
    ...refOptions,
  }),
  answers: {
    200: {
      description: 'the outcome: same, forward, merged, or conflicts with all of them',
      schema: z.looseObject({ outcome: z.enum(['same', 'forward', 'merged', 'conflicts']) }),
    },
  },
  handle: async ({ entries, json: { ours, theirs, ...options }, signal }) =>
    jsonAnswer(await entries.snapshots.merge(ours, theirs, { ...given(options), signal })),
});

const count = z.int().min(1).optional();

export const forgetSnapshots = route({
  method: 'post',
  path: '/snapshots/forget',
  about: 'entries',
  verb: 'write',
  summary: 'Forget the snapshots of a ref that no rule keeps; the newest always stays',
  json: z.strictObject({
    ref: z.string(),
    rules: z
      .strictObject({ last: count, hourly: count, daily: count, weekly: count, monthly: count, yearly: count })
      .extend({ within: z.string().optional().describe('everything newer: 2y6m7d3h') })
      .describe('the newest of each of so many periods that have one'),
    timeZone: z.string().optional().describe('whose calendar counts; default UTC'),
    dryRun: z.boolean().optional(),
  }),
  answers: {
    200: {
      description: 'what is kept and why, and what is forgotten',
      schema: z.looseObject({ kept: z.array(z.looseObject({})), forgotten: z.array(z.looseObject({})) }),
    },
  },
  handle: async ({ entries, json: { ref, rules, ...options }, signal }) =>
    jsonAnswer(await entries.snapshots.forget(ref, { rules, ...given(options), signal })),
});

export const restoreFile = route({
  method: 'post',
  path: '/snapshots/restore-file',
  about: 'entries',
  verb: 'write',
  summary: 'Put a file of a snapshot under a key; a frozen entry with its type and attributes',
  json: z.strictObject({
    address: addressSchema,
    key: keySchema,
    ifAbsent: z.boolean().optional().describe('replace nothing; else 409'),
  }),
  answers: { 201: { description: 'stored', schema: storedSchema } },
  async handle(call) {
    const { entries, settings, json, signal } = call;
    demandCondition(settings, json.ifAbsent === true, json.key);
    const { id, child } = await blobAt(call, json.address);
    const content = entries.objects.readBlob(id, { signal });
    const options = { ...frozenOptions(child), ...given({ ifAbsent: json.ifAbsent }), signal };
    return storedAnswer(await entries.put(json.key, content, options));
  },
});

export const thawSnapshot = route({
  method: 'post',
  path: '/snapshots/restore',
  about: 'entries',
  verb: 'write',
  summary: 'Put frozen entries back, or beside under another prefix; no bytes move',
  json: z.strictObject({
    address: addressSchema,
    toPrefix: z.string().optional().describe('default: as it was'),
    overwrite: z.enum(['never', 'changed', 'always']).optional().describe('default never'),
    delete: z.boolean().optional().describe('delete entries there that the snapshot does not have'),
    dryRun: z.boolean().optional(),
  }),
  answers: { 200: { description: 'what was done', schema: z.looseObject({ created: z.int(), failed: z.int() }) } },
  async handle({ entries, settings, json: { address, ...options }, signal }) {
    const { overwrite = 'never', delete: deletes = false } = options;
    demandCondition(settings, overwrite === 'never' && !deletes, address);
    return jsonAnswer(await entries.snapshots.thaw(address, { ...given(options), signal }));
  },
});
