/** Files that come as a form, as pages of browsers send them. */
import { z } from '@hono/zod-openapi';
import { storeError } from '../../errors/store-error.ts';
import type { BatchWriter, StagedPut } from '../../index.ts';
import { openBody } from '../http/body.ts';
import { putOptionsOf } from '../http/entry-headers.ts';
import { type FormFile, formFiles } from '../http/form-files.ts';
import { jsonAnswer } from '../http/json-answer.ts';
import { conditionsOf, refusalOf } from '../put-content.ts';
import type { Call } from '../route.ts';
import { storedSchema } from '../schemas.ts';

export const formStoredSchema = z.object({
  files: z.array(storedSchema.omit({ newBytes: true, storedBytes: true, stats: true, digests: true })),
});

const FORM = /^multipart\/form-data\b/i;

export function isForm({ headers }: Request): boolean {
  return FORM.test(headers.get('content-type') ?? '');
}

function formInvalid(message: string): Error {
  return storeError('REQUEST_INVALID', message, { details: { field: 'body' } });
}

/** Whether there is nothing in it: pages send such a file for an input that was left empty. */
async function isEmpty({ content }: FormFile): Promise<boolean> {
  let bytes = 0;
  for await (const piece of content) bytes += piece.length;
  return bytes === 0;
}

/** Keys of the files of one form. */
class FormKeys {
  readonly #target: string;
  readonly #taken = new Set<string>();

  /** @param target a key, or what keys begin with: nothing, or something with a slash at its end */
  constructor(target: string) {
    this.#target = target;
  }

  get count(): number {
    return this.#taken.size;
  }

  /** @returns `undefined` for a file that is none. @throws `invalid/REQUEST_INVALID` */
  async take(file: FormFile): Promise<string | undefined> {
    const isExact = this.#target !== '' && !this.#target.endsWith('/');
    if (!isExact && file.name === '') {
      if (await isEmpty(file)) return undefined;
      throw formInvalid('a file of the form has no name');
    }
    const key = isExact ? this.#target : `${this.#target}${file.name}`;
    if (this.#taken.has(key)) throw formInvalid(`there are two files for the key ${JSON.stringify(key)}`);
    this.#taken.add(key);
    return key;
  }
}

async function stage(call: Call, target: string, batch: BatchWriter): Promise<readonly StagedPut[]> {
  const { request, settings, signal } = call;
  const body = openBody(call, settings.limits.bodyBytesMax);
  const keys = new FormKeys(target);
  const staged: StagedPut[] = [];
  for await (const file of formFiles(body, request.headers.get('content-type') ?? '')) {
    const key = await keys.take(file);
    if (key === undefined) continue;
    const headers = new Headers(request.headers);
    headers.set('content-type', file.type);
    const conditions = await conditionsOf(call, key, { headers, signal });
    staged.push(await batch.put(key, file.content, { ...putOptionsOf(headers), ...conditions }));
  }
  if (keys.count === 0) throw formInvalid('there is no file in the form');
  return staged;
}

/** Stores the files of a form, in one commit. @param target a key for the only file; else what the keys begin with */
export async function storeForm(call: Call, target: string): Promise<Response> {
  const { entries, request, signal } = call;
  try {
    const files = await entries.batch((batch) => stage(call, target, batch), { signal });
    return jsonAnswer({ files }, 201);
  } catch (error) {
    throw refusalOf(call, error, request.headers);
  }
}
