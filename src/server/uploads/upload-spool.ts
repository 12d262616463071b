import type { BigIntStats } from 'node:fs';
import { mkdir, readdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { isStoreError, storeError } from '../../errors/store-error.ts';
import { SERVER_UPLOAD_KEPT_MS, SERVER_UPLOAD_LOOK_MS, SERVER_UPLOADS_OF_CALLER_MAX } from '../../limits.ts';
import type { Clock } from '../../runtime/clock.ts';
import { nodeFileSystem, systemCode } from '../../runtime/file-system.ts';
import { systemRandom } from '../../runtime/random.ts';
import { every } from '../../runtime/timers.ts';
import { readUploadHead, type UploadFacts, UploadFile, type UploadHead, uploadFileName } from './upload-file.ts';
import { UploadLocks } from './upload-locks.ts';
import type { UploadOptions } from './upload-options.ts';

interface NewUpload {
  readonly facts: UploadFacts;
  readonly quotaLeft: number | undefined;
}

/** Whose upload it is. */
export type UploadOwner = Pick<UploadHead, 'namespace' | 'owner'>;

interface Kept extends UploadHead {
  /** Of its file. */
  readonly bytes: number;
}

const SECRET_BYTES = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
const NAME = /^[0-9a-f]{32}(?:\.new)?$/;
const MODE_OWNER = 0o700;

const isAbsent = (error: unknown): boolean => systemCode(error) === 'ENOENT';

const notFound = (): Error => storeError('UPLOAD_NOT_FOUND', 'there is no such upload');

async function statIfAny(file: string): Promise<BigIntStats | undefined> {
  return await stat(file, { bigint: true }).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
}

async function remove(file: string): Promise<void> {
  await unlink(file).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
  });
}

/**
 * The folder of unfinished uploads. What is in it is looked at anew with every request, so that nothing is lost with the
 * process, and several servers may share one.
 */
export class UploadSpool {
  readonly locks = new UploadLocks();
  readonly keptMs: number;
  readonly #folder: string;
  readonly #ofCallerMax: number;
  readonly #clock: Clock;
  /** What files say in the clear, by name and inode: only a file that takes the place of another says something else. */
  #heads: ReadonlyMap<string, UploadHead | undefined> = new Map();
  #lastCreation: Promise<unknown> = Promise.resolve();

  constructor(options: UploadOptions, { clock, stopping }: { readonly clock: Clock; readonly stopping: AbortSignal }) {
    this.#folder = path.resolve(options.folder);
    this.keptMs = options.keptMs ?? SERVER_UPLOAD_KEPT_MS;
    this.#ofCallerMax = options.ofCallerMax ?? SERVER_UPLOADS_OF_CALLER_MAX;
    this.#clock = clock;
    // Whoever asks for the folder finds out what is wrong with it; nobody waits for this.
    const look = every(SERVER_UPLOAD_LOOK_MS, () => void this.#list().catch(() => undefined));
    stopping.addEventListener('abort', () => look.stop(), { once: true });
  }

  newSecret(): string {
    return Buffer.from(systemRandom(SECRET_BYTES)).toString('base64url');
  }

  /**
   * Makes an upload.
   * @param quotaLeft bytes that the namespace still takes; `undefined` for any
   * @throws `unavailable/REQUESTS_EXCEEDED`, `exhausted/QUOTA_EXCEEDED`, `exhausted/FREE_SPACE_LOW`
   */
  create(secret: string, head: UploadHead, said: NewUpload): Promise<void> {
    // One after the other: each counts those before it.
    const creation = this.#lastCreation.then(() => this.#create(secret, head, said));
    this.#lastCreation = creation.catch(() => undefined);
    return creation;
  }

  async #create(secret: string, head: UploadHead, { facts, quotaLeft }: NewUpload): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: MODE_OWNER });
    const kept = await this.#list();
    if (kept.filter(({ owner }) => owner === head.owner).length >= this.#ofCallerMax)
      throw storeError('REQUESTS_EXCEEDED', 'too many unfinished uploads: finish or delete some');
    const ofNamespace = kept.filter(({ namespace }) => namespace === head.namespace);
    const promised = ofNamespace.reduce((sum, { length }) => sum + length, 0);
    if (quotaLeft !== undefined && promised + head.length > quotaLeft)
      throw storeError('QUOTA_EXCEEDED', 'the namespace has no room for this beside what is being uploaded');
    const free = await nodeFileSystem.freeBytes(this.#folder);
    const missing = kept.reduce((sum, { length, bytes }) => sum + Math.max(0, length - bytes), 0);
    if (missing + head.length > free)
      throw storeError('FREE_SPACE_LOW', 'the server has no room for this beside what is being uploaded', {
        details: { path: this.#folder, size: head.length, expected: missing + head.length, actual: free },
      });
    await UploadFile.create(this.#fileOf(secret), secret, { head, facts });
  }

  /**
   * Opens the upload of an address.
   * @throws `not-found/UPLOAD_NOT_FOUND`, the same for one that is not there and one of somebody else
   */
  async open(secret: string, { namespace, owner }: UploadOwner): Promise<{ file: UploadFile; changedMs: number }> {
    const changedMs = await this.#changedMs(secret);
    if (changedMs === undefined) throw notFound();
    const file = await this.#openFile(secret);
    if (file.head.namespace === namespace && file.head.owner === owner) return { file, changedMs };
    await file[Symbol.asyncDispose]();
    throw notFound();
  }

  /** Forgets an upload; its space is free when this resolves. */
  async remove(secret: string): Promise<void> {
    await remove(this.#fileOf(secret));
  }

  #fileOf(secret: string): string {
    return path.join(this.#folder, uploadFileName(secret));
  }

  /** When the file was changed last; `undefined` when it is not there any more. */
  async #changedMs(secret: string): Promise<number | undefined> {
    const found = SECRET.test(secret) ? await statIfAny(this.#fileOf(secret)) : undefined;
    const changedMs = Number(found?.mtimeMs ?? 0n);
    return found === undefined || this.#isExpired(changedMs) ? undefined : changedMs;
  }

  async #openFile(secret: string): Promise<UploadFile> {
    try {
      return await UploadFile.open(this.#fileOf(secret), secret);
    } catch (error) {
      if (isAbsent(error)) throw notFound();
      // Nothing can be made of it any more: the next one who asks is told that it is gone, and begins anew.
      if (isStoreError(error, 'UPLOAD_CORRUPT')) await this.remove(secret);
      throw error;
    }
  }

  #isExpired(changedMs: number): boolean {
    return this.#clock.now() - changedMs > this.keptMs;
  }

  /** Those that are unfinished; what has expired goes. */
  async #list(): Promise<Kept[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw error;
    });
    const kept: Kept[] = [];
    const heads = new Map<string, UploadHead | undefined>();
    for (const name of names.filter((one) => NAME.test(one))) {
      const found = await statIfAny(path.join(this.#folder, name));
      if (found === undefined) continue;
      if (this.#isExpired(Number(found.mtimeMs))) await remove(path.join(this.#folder, name));
      else if (!name.endsWith('.new')) {
        const stamp = `${name} ${found.ino}`;
        const head = this.#heads.get(stamp) ?? (await this.#readHead(name));
        heads.set(stamp, head);
        if (head && !head.finished) kept.push({ ...head, bytes: Number(found.size) });
      }
    }
    this.#heads = heads;
    return kept;
  }

  async #readHead(name: string): Promise<UploadHead | undefined> {
    return await readUploadHead(path.join(this.#folder, name)).catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    });
  }
}
