/** Uploads that go on after a cut: tus 1.0. */
import { z } from '@hono/zod-openapi';
import { route } from '../route.ts';
import { tusAnswer } from '../uploads/tus-answer.ts';

const params = { upload: z.string().describe('the last part of its address, which only its maker knows') };
const TUS = { 'tus-resumable': '1.0.0' };
const OFFSET_TYPE = 'application/offset+octet-stream';

export const askUploads = route({
  method: 'options',
  path: '/uploads',
  about: 'open',
  verb: 'put',
  summary: 'What the server speaks of tus: its version, its extensions, the largest upload',
  answers: { 204: { description: 'Tus-Version, Tus-Extension, Tus-Max-Size' } },
  handle: tusAnswer,
});

export const createUpload = route({
  method: 'post',
  path: '/uploads',
  about: 'entries',
  verb: 'put',
  summary: 'Begin an upload that can go on after a cut',
  description: `The protocol is tus 1.0. Upload-Metadata names what the entry is to be: key, contentType, attributes, contentDigest,
ifMatch, ifNoneMatch, each in base64. A body, of application/offset+octet-stream, is the beginning of the content.`,
  headers: {
    ...TUS,
    'upload-length': 'how many bytes the content has',
    'upload-metadata': 'key a2V5,contentType dGV4dC9wbGFpbg==',
  },
  answers: { 201: { description: 'Location is its address' } },
  handle: tusAnswer,
});

export const getUpload = route({
  method: 'get',
  path: '/uploads/{upload}',
  about: 'entries',
  verb: 'put',
  summary: 'How far an upload is',
  description: 'HEAD, as tus has it. Where all has come and the server was cut off meanwhile, this makes the entry.',
  params,
  headers: TUS,
  answers: { 200: { description: 'Upload-Offset, Upload-Length; of a finished one ETag and Content-Location too' } },
  handle: tusAnswer,
});

export const continueUpload = route({
  method: 'patch',
  path: '/uploads/{upload}',
  about: 'entries',
  verb: 'put',
  summary: 'Go on with an upload',
  description:
    'With its last byte the entry is made, durably, before the answer: ETag and Content-Location tell of it.',
  params,
  headers: {
    ...TUS,
    'upload-offset': 'where it goes on',
    'content-digest': 'of this body: what does not have it is not kept',
  },
  body: OFFSET_TYPE,
  answers: { 204: { description: 'Upload-Offset, and Upload-Expires or the entry' } },
  handle: tusAnswer,
});

export const deleteUpload = route({
  method: 'delete',
  path: '/uploads/{upload}',
  about: 'entries',
  verb: 'put',
  summary: 'Give up an upload; its space is free at once',
  params,
  headers: TUS,
  answers: { 204: { description: 'it is gone' } },
  handle: tusAnswer,
});
