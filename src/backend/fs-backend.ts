import { dirname, join } from 'node:path';
import { storeError } from '../errors/store-error.ts';
import { BACKEND_CONCURRENCY_MAX, BLOB_BYTES_MAX } from '../limits.ts';
import { type DirectoryItem, type FileSystem, systemCode } from '../runtime/file-system.ts';
import { BaseBackend, type CheckedListOptions } from './base-backend.ts';
import { blobExistsError } from './blob-range.ts';
import type {
  BackendSpace,
  BlobInfo,
  CallOptions,
  DeleteOptions,
  GetOptions,
  HeadOptions,
  ListOptions,
  PutOptions,
} from './contract.ts';
import { assertMounted, type FailedAction, fsError, isDiskFull, notAFileError } from './fs-error.ts';
import { readBlobFile, removeFile, slices, writeTemporary } from './fs-file.ts';
import type { DurableFolders } from './fs-folders.ts';
import { type QuotaClaim, QuotaLedger } from './fs-quota.ts';
import type { Reserve, ReserveState } from './fs-reserve.ts';
import type { TemporaryFiles } from './fs-temporary.ts';
import { type KeyWindow, walkKeys } from './fs-walk.ts';

/** Sizes asked of the system at once while listing; more only queue up behind Node's four threads. */
const STAT_BATCH = 32;
/** How `link` says that the file system has no hard links (link(2)). */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** What `openFsBackend` has made ready. */
export interface FsBackendParts {
  readonly fileSystem: FileSystem;
  readonly root: string;
  /** A folder that exists as long as the disk is mounted. */
  readonly marker: string;
  readonly temporary: TemporaryFiles;
  readonly folders: DurableFolders;
  readonly reserve: Reserve;
  readonly readOnly: boolean;
  readonly quotaBytes?: number;
  readonly freeBytesMin: number;
}

/** Carries the room that a put was promised by the quota, where there is one. */
interface Claimed {
  readonly claim: QuotaClaim | undefined;
}

/**
 * Blobs as files of one folder: the key is the path. Open it with `openFsBackend`.
 *
 * A value is written to a temporary file, flushed, given its name in one step, and the name flushed; so a reader or a
 * crash finds it whole or not at all. Beside the blobs stand `.tmp` (files being written) and `.reserve`. Several
 * processes may use one folder; the quota is then kept as exactly as they can see each other's writes.
 */
export class FsBackend extends BaseBackend {
  readonly root: string;
  readonly #parts: FsBackendParts;
  readonly #fileSystem: FileSystem;
  readonly #ledger: QuotaLedger | undefined;
  #writingBytes = 0;

  constructor(parts: FsBackendParts) {
    super({
      durable: true,
      ifAbsent: true,
      writable: !parts.readOnly,
      concurrencyMax: BACKEND_CONCURRENCY_MAX,
      blobBytesMax: BLOB_BYTES_MAX,
    });
    this.root = parts.root;
    this.#parts = parts;
    this.#fileSystem = parts.fileSystem;
    this.#ledger = parts.quotaBytes === undefined ? undefined : new QuotaLedger(parts.quotaBytes, () => this.#count());
  }

  /**
   * Gives the reserve back to the disk, for others on it (the metadata) that must write to free space. The next
   * ordinary put sets it aside again as soon as there is room.
   * @returns false when there was nothing to give
   * @throws `denied/READ_ONLY`, `denied/PERMISSION_DENIED`, `unavailable/BACKEND_IO`, `closed/BACKEND_CLOSED`
   */
  async releaseReserve(): Promise<boolean> {
    return this.run({}, () => {
      this.checkWritable({ path: this.root });
      return this.#guard({ action: 'reserve', root: this.root }, () => this.#parts.reserve.release());
    });
  }

  /**
   * Sets the reserve aside again when the disk has that much free, for those who gave it away and will not let the
   * store grow before it is there. Costs one look at the disk when it is held.
   * @returns whether it is held now; true as well when none is wanted (`reserveBytes: 0`)
   * @throws `denied/READ_ONLY`, `denied/PERMISSION_DENIED`, `unavailable/BACKEND_IO`, `closed/BACKEND_CLOSED`
   */
  async restoreReserve(): Promise<boolean> {
    return this.run({}, () => {
      this.checkWritable({ path: this.root });
      return this.#guard({ action: 'reserve', root: this.root }, () => this.#parts.reserve.restore());
    });
  }

  /**
   * Asks for what an ordinary put would be refused, on behalf of one that will have leave to spend the reserve and is
   * not to grow the folder beyond its bounds nevertheless. Without a quota and `freeBytesMin` this costs nothing.
   * @throws `exhausted/QUOTA_EXCEEDED`, `exhausted/FREE_SPACE_LOW`, `unavailable/BACKEND_IO`, `closed/BACKEND_CLOSED`
   */
  async checkRoom(bytes: number): Promise<void> {
    await this.run({}, () =>
      this.#guard({ action: 'put', root: this.root }, async () => {
        const claim = await this.#ledger?.claim({ growthBytes: bytes, overdraftBytes: 0 });
        claim?.release();
        await this.#claimFreeSpace(bytes, { freeBytesMin: this.#parts.freeBytesMin });
        this.#writingBytes -= bytes;
      }),
    );
  }

  /** The reserve as it is on the disk now. @throws `unavailable/BACKEND_IO`, `closed/BACKEND_CLOSED` */
  async reserveState(): Promise<ReserveState> {
    return this.run({}, () => this.#guard({ action: 'reserve', root: this.root }, () => this.#parts.reserve.state()));
  }

  protected override async putBlob(key: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    await this.#guard({ action: 'put', root: this.root, key }, async () => {
      if (!options.spendReserve) await this.#parts.reserve.restoreWithEase();
      const claim = await this.#ledger?.claim({
        key,
        growthBytes: bytes.length - (await this.#sizeOf(key)),
        overdraftBytes: options.spendReserve ? (await this.#parts.reserve.state()).wantedBytes : 0,
      });
      try {
        await this.#withReserve(options, () => this.#write(key, bytes, { ...options, claim }));
      } finally {
        claim?.release();
      }
    });
  }

  protected override async getBlob(key: string, options: GetOptions): Promise<Uint8Array | undefined> {
    const read = () => readBlobFile(this.#fileSystem, this.#path(key), { root: this.root, key, range: options });
    return this.#unlessAbsent({ action: 'get', root: this.root, key }, read);
  }

  protected override async headBlob(key: string, options: HeadOptions = {}): Promise<BlobInfo | undefined> {
    const failed: FailedAction = { action: 'head', root: this.root, key };
    return this.#unlessAbsent(failed, async () => {
      const stat = await this.#fileSystem.stat(this.#path(key));
      if (!stat.isFile()) throw notAFileError(failed);
      if (options.durable) await this.#settle(dirname(this.#path(key)), failed);
      return { key, bytes: stat.size };
    });
  }

  protected override async deleteBlob(key: string, options: DeleteOptions): Promise<void> {
    const failed: FailedAction = { action: 'delete', root: this.root, key };
    await this.#guard(failed, async () => {
      const path = this.#path(key);
      await this.#withReserve(options, async () => {
        if (!this.#ledger) await removeFile(this.#fileSystem, path);
        else {
          await this.#ledger.record(async () => {
            const bytes = await this.#sizeOf(key);
            return (await removeFile(this.#fileSystem, path)) ? -bytes : 0;
          });
        }
      });
      // Also when the blob was gone: who removed it may have died before its fsync. Without the folder there is no
      // name.
      await this.#unlessAbsent(failed, () => this.#syncNames(dirname(path), failed));
    });
  }

  protected override async listBlobs(options: CheckedListOptions): Promise<readonly BlobInfo[]> {
    return this.#guard({ action: 'list', root: this.root }, async () => {
      const page: BlobInfo[] = [];
      for await (const blob of this.#blobs(options)) {
        page.push(blob);
        if (page.length === options.limit) break;
      }
      return page;
    });
  }

  protected override async measureSpace(options: CallOptions): Promise<BackendSpace> {
    return this.#guard({ action: 'space', root: this.root }, async () => {
      const usedBytes = await (this.#ledger ? this.#ledger.recount() : this.#count(options.signal));
      const diskBytes = (await this.#fileSystem.freeBytes(this.root)) - this.#parts.freeBytesMin;
      const { quotaBytes } = this.#parts;
      if (quotaBytes === undefined) return { usedBytes, freeBytes: Math.max(0, diskBytes) };
      return { usedBytes, quotaBytes, freeBytes: Math.max(0, Math.min(diskBytes, quotaBytes - usedBytes)) };
    });
  }

  protected override async release(): Promise<void> {
    this.#parts.temporary.close();
  }

  async #write(key: string, bytes: Uint8Array, options: PutOptions & Claimed): Promise<void> {
    const { temporary, folders } = this.#parts;
    const target = this.#path(key);
    const file = temporary.next();
    const freeBytesMin = options.spendReserve ? 0 : this.#parts.freeBytesMin;
    await this.#claimFreeSpace(bytes.length, { key, freeBytesMin });
    try {
      await writeTemporary(this.#fileSystem, file, { parts: slices(bytes), signal: options.signal });
    } finally {
      this.#writingBytes -= bytes.length;
    }
    const blob = { file, bytes: bytes.length, ifAbsent: options.ifAbsent ?? false, claim: options.claim };
    try {
      await folders.ensure(dirname(target));
      options.signal?.throwIfAborted();
      await this.#publish(key, blob).catch(async (error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error;
        // Somebody removed a folder that was there: it is made again.
        await this.#assertMounted({ action: 'put', root: this.root, key });
        folders.forget();
        await folders.ensure(dirname(target));
        await this.#publish(key, blob);
      });
    } catch (error) {
      folders.forget();
      // The failure is the one to report; a file that cannot be removed now is swept when the backend is next opened.
      await removeFile(this.#fileSystem, file).catch(() => undefined);
      throw error;
    }
    // Only now may the caller be told: a rename that is not flushed is undone by a power cut.
    await this.#syncNames(dirname(target), { action: 'put', root: this.root, key });
  }

  /** Gives a finished file the name of its key, in one step that no reader sees half of. */
  async #publish(
    key: string,
    blob: { readonly file: string; readonly bytes: number; readonly ifAbsent: boolean } & Claimed,
  ): Promise<void> {
    const target = this.#path(key);
    const name = blob.ifAbsent
      ? () => this.#link(blob.file, target, key)
      : () => this.#fileSystem.rename(blob.file, target);
    if (!blob.claim) return name();
    await blob.claim.record(async () => {
      const replaced = await this.#sizeOf(key);
      await name();
      return blob.bytes - replaced;
    });
  }

  /** Unlike a rename, a link fails when the name is taken: of several creators one wins, in any process (B4). */
  async #link(file: string, target: string, key: string): Promise<void> {
    try {
      await this.#fileSystem.link(file, target);
    } catch (error) {
      const system = systemCode(error);
      if (system === 'EEXIST') throw blobExistsError(key, error);
      if (!NO_LINKS.has(system)) throw error;
      const details = { backendKey: key, capability: 'ifAbsent', path: this.root, ...(system && { system }) };
      const message = `the file system of ${this.root} has no hard links, so nothing can be created exactly once there`;
      throw storeError('CAPABILITY_UNSUPPORTED', message, { details, cause: error });
    }
    // The blob has its name; a second one that cannot be removed now is swept when the backend is next opened.
    await removeFile(this.#fileSystem, file).catch(() => undefined);
  }

  /** Flushes the names that were found in a folder, and its own: who made them may have died before that. */
  async #settle(folder: string, failed: FailedAction): Promise<void> {
    if (this.#parts.readOnly) return;
    await this.#parts.folders.ensure(folder);
    await this.#syncNames(folder, failed);
  }

  /** Flushes a folder after a name in it changed. Whatever fails here, the change was made: the outcome is unknown. */
  async #syncNames(folder: string, failed: FailedAction): Promise<void> {
    try {
      await this.#fileSystem.syncDirectory(folder);
    } catch (error) {
      const system = systemCode(error);
      if (system === undefined || system === 'ENOENT') throw error;
      const details = { path: folder, system, ...(failed.key !== undefined && { backendKey: failed.key }) };
      const message = `${failed.action} in ${folder}: done, but a crash may undo it (${system})`;
      throw storeError('BACKEND_IO', message, { details, cause: error });
    }
  }

  /** Runs work that may find the disk full; with leave to spend the reserve it gets that space and one more try. */
  async #withReserve(options: DeleteOptions, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isDiskFull(systemCode(error)) || !options.spendReserve || !(await this.#parts.reserve.release()))
        throw error;
      await work();
    }
  }

  /**
   * Counts bytes about to be written, while nothing on the disk shows them: puts side by side must not all see the same
   * room.
   */
  async #claimFreeSpace(
    bytes: number,
    options: { readonly key?: string; readonly freeBytesMin: number },
  ): Promise<void> {
    const { key, freeBytesMin } = options;
    if (freeBytesMin > 0) {
      const freeBytes = await this.#fileSystem.freeBytes(this.root);
      if (freeBytes - this.#writingBytes - bytes < freeBytesMin) {
        const message = `${bytes} more bytes would leave less than ${freeBytesMin} of the ${freeBytes} bytes free in ${this.root}`;
        const details = { path: this.root, size: bytes, expected: freeBytesMin, actual: freeBytes };
        throw storeError('FREE_SPACE_LOW', message, {
          details: { ...details, ...(key !== undefined && { backendKey: key }) },
        });
      }
    }
    this.#writingBytes += bytes;
  }

  async #sizeOf(key: string): Promise<number> {
    try {
      return (await this.#fileSystem.stat(this.#path(key))).size;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 0;
      throw error;
    }
  }

  async #count(signal?: AbortSignal): Promise<number> {
    let bytes = 0;
    for await (const blob of this.#blobs({ prefix: '', signal })) bytes += blob.bytes;
    return bytes;
  }

  async *#blobs(
    window: KeyWindow & Pick<ListOptions, 'limit' | 'durable'> & { readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<BlobInfo> {
    const { signal, limit = STAT_BATCH, durable = false } = window;
    const failed: FailedAction = { action: 'list', root: this.root };
    let keys: string[] = [];
    const readFolder = async (folder: string): Promise<DirectoryItem[]> => {
      signal?.throwIfAborted();
      const path = join(this.root, folder);
      const read = async () => {
        const items = await this.#fileSystem.readdir(path);
        if (durable) await this.#settle(path, failed);
        return items;
      };
      return (await this.#unlessAbsent(failed, read)) ?? [];
    };
    // A blob deleted since its name was read is left out.
    const measure = async () =>
      (await Promise.all(keys.map((key) => this.headBlob(key)))).filter((blob) => blob !== undefined);
    for await (const key of walkKeys(readFolder, window)) {
      keys.push(key);
      if (keys.length < Math.min(STAT_BATCH, limit)) continue;
      yield* await measure();
      keys = [];
    }
    yield* await measure();
    // The mount point of a disk that is away reads as an empty folder. Whoever takes that for the truth collects
    // garbage by it, or rebuilds from it.
    await this.#assertMounted(failed);
  }

  #path(key: string): string {
    return join(this.root, key);
  }

  async #unlessAbsent<T>(failed: FailedAction, work: () => Promise<T>): Promise<T | undefined> {
    return this.#guard(failed, async () => {
      try {
        return await work();
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
        await this.#assertMounted(failed);
        return undefined;
      }
    });
  }

  async #assertMounted(failed: FailedAction): Promise<void> {
    await assertMounted((path) => this.#fileSystem.stat(path), this.#parts.marker, failed);
  }

  /** Turns what the system says into store errors (B13); every call of the contract goes through it. */
  async #guard<T>(failed: FailedAction, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (systemCode(error) === 'ENOENT') await this.#assertMounted(failed);
      throw fsError(error, failed);
    }
  }
}
