import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { METADATA_BUSY_TIMEOUT_MS } from '../../src/limits.ts';
import type { Metadata } from '../../src/metadata/contract.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { openSqliteMetadata, type SqliteMetadataOptions } from '../../src/metadata/sqlite-metadata.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/temporary-folder.ts';
import { SAMPLE_STORE } from './format-samples.ts';
import { idOf, inlineOf, packAdd, packOf, put, request } from './metadata-samples.ts';
import { unlocked } from './sealed-metadata.ts';

/** Metadata in a file of a temporary folder, and what a test does to that file behind its back. */
export class MetadataFile {
  readonly folder: string;
  readonly path: string;
  readonly #temporary: TemporaryFolder;
  readonly #sealed: boolean;
  readonly #opened: Metadata[] = [];

  private constructor(temporary: TemporaryFolder, sealed: boolean) {
    this.#sealed = sealed;
    this.#temporary = temporary;
    this.folder = temporary.path;
    this.path = join(temporary.path, 'metadata.sqlite');
  }

  /** @param kind of the store; sealed metadata is opened with the sample keys */
  static async make(kind: 'plain' | 'sealed' = 'plain'): Promise<MetadataFile> {
    return new MetadataFile(await makeTemporaryFolder(), kind === 'sealed');
  }

  #options(options: Partial<SqliteMetadataOptions>): SqliteMetadataOptions {
    return { path: this.path, storeId: SAMPLE_STORE, create: false, sealed: this.#sealed, ...options };
  }

  /** The way users do, in a thread. */
  async openInThread(options: Partial<SqliteMetadataOptions> = {}): Promise<Metadata> {
    return this.#keep(await openSqliteMetadata(this.#options(options)));
  }

  /** The same without the thread, which takes a while to start. */
  async open(options: Partial<SqliteMetadataOptions> = {}): Promise<Metadata> {
    const defaults = { readOnly: false, busyTimeoutMs: METADATA_BUSY_TIMEOUT_MS };
    return this.#keep(await openSqlMetadata({ ...defaults, ...this.#options(options) }));
  }

  async #keep(metadata: Metadata): Promise<Metadata> {
    this.#opened.push(metadata);
    return this.#sealed ? unlocked(Promise.resolve(metadata)) : metadata;
  }

  /** As it is opened, without keys. */
  async openLocked(options: Partial<SqliteMetadataOptions> = {}): Promise<Metadata> {
    const defaults = { readOnly: false, busyTimeoutMs: METADATA_BUSY_TIMEOUT_MS };
    const metadata = await openSqlMetadata({ ...defaults, ...this.#options(options) });
    this.#opened.push(metadata);
    return metadata;
  }

  /** New metadata with two entries, a pack of the chunks x and y, chunk z inline, and a session, in one commit. */
  async fill(): Promise<Metadata> {
    const metadata = await this.open({ create: true });
    await metadata.commit([
      request(put('a'), put('b'), packAdd(packOf(1, [idOf('x'), idOf('y')]))),
      { changes: [], inline: [inlineOf('z')] },
    ]);
    await metadata.openSession();
    return metadata;
  }

  async closeAll(): Promise<void> {
    for (const metadata of this.#opened.splice(0)) await metadata.close();
  }

  /** Runs SQL in the file, or in another. */
  tamper(sql: string, file = this.path): void {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  }

  /** Rows as they lie in the file now. */
  query(sql: string): readonly Readonly<Record<string, unknown>>[] {
    const database = new DatabaseSync(this.path, { readOnly: true });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  }

  /** Copies file and log as they lie there now. */
  async copyTo(path: string): Promise<void> {
    for (const suffix of ['', '-wal']) await writeFile(path + suffix, await readFile(this.path + suffix));
  }

  /** Names in the folder. */
  names(): Promise<string[]> {
    return readdir(this.folder);
  }

  async remove(): Promise<void> {
    await this.closeAll();
    await this.#temporary.remove();
  }
}
