import { storeError } from '../errors/store-error.ts';
import { whyNoId } from './chunkstore-layout.ts';

/**
 * Which ids one chunkstore can hold together: a manifest is a file of the id's name, so that `a` and `a/b` exclude each
 * other, as do names that a file system takes for one.
 */
export class ChunkstoreNames {
  readonly #foldsCase: boolean;
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  constructor(foldsCase: boolean) {
    this.#foldsCase = foldsCase;
  }

  /** Takes an id. @throws `invalid/LOCATION_INVALID` when it is no id, or does not go with those taken before */
  take(id: string, key: string): void {
    const reason = whyNoId(id) ?? this.#clash(id);
    if (reason !== undefined) {
      const message = `${JSON.stringify(key)} cannot be a file id of chunkstore: ${reason}`;
      throw storeError('LOCATION_INVALID', message, { details: { key } });
    }
    this.#files.add(this.#folded(id));
    for (const folder of foldersOf(this.#folded(id))) this.#folders.add(folder);
  }

  #folded(id: string): string {
    return this.#foldsCase ? id.normalize('NFC').toLowerCase() : id;
  }

  #clash(id: string): string | undefined {
    const name = this.#folded(id);
    if (this.#files.has(name)) return 'another one is the same name to this file system';
    if (this.#folders.has(name)) return 'others lie below it, and a file cannot be a folder';
    const above = foldersOf(name).find((folder) => this.#files.has(folder));
    return above === undefined ? undefined : `it lies below ${JSON.stringify(above)}, which is a file`;
  }
}

function foldersOf(id: string): readonly string[] {
  const folders: string[] = [];
  for (let at = id.indexOf('/'); at >= 0; at = id.indexOf('/', at + 1)) folders.push(id.slice(0, at));
  return folders;
}
