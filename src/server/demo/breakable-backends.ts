import { rm } from 'node:fs/promises';
import path from 'node:path';
import { storeError } from '../../errors/store-error.ts';
import type { Store } from '../../index.ts';

/** A backend that may be broken to see what happens. */
export interface BreakableBackend {
  readonly name: string;
  readonly broken: boolean;
}

/** Backends that are there to be broken. */
export interface BreakableBackends {
  list(): readonly BreakableBackend[];
  /** Loses all that is on it. One that is broken stays so. @throws `not-found/BACKEND_NOT_FOUND` */
  break(name: string): Promise<void>;
  /** Puts an empty one in its place; one that is not broken stays as it is. @throws `not-found/BACKEND_NOT_FOUND` */
  mend(name: string): Promise<void>;
}

interface Disk {
  folder: string;
  broken: boolean;
}

/** Folders of a throw-away store, deleted like disks die, and replaced by empty ones. */
export class BreakableFolders implements BreakableBackends {
  readonly #store: Store;
  readonly #root: string;
  readonly #disks: ReadonlyMap<string, Disk>;
  #replaced = 0;
  /** One after the other: a folder is not deleted while it is being put in place. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param names of backends, which are the folders of these names below `root` */
  constructor(store: Store, root: string, names: readonly string[]) {
    this.#store = store;
    this.#root = root;
    this.#disks = new Map(names.map((name) => [name, { folder: path.join(root, name), broken: false }]));
  }

  list(): readonly BreakableBackend[] {
    return [...this.#disks].map(([name, { broken }]) => ({ name, broken }));
  }

  async break(name: string): Promise<void> {
    const disk = this.#disk(name);
    await this.#inTurn(async () => {
      disk.broken = true;
      await rm(disk.folder, { recursive: true, force: true });
    });
  }

  async mend(name: string): Promise<void> {
    const disk = this.#disk(name);
    await this.#inTurn(async () => {
      if (!disk.broken) return;
      this.#replaced += 1;
      const folder = path.join(this.#root, `${name}-new-${this.#replaced}`);
      // Where more was broken than can be lost, what is gone is gone: the store goes on with the rest.
      await this.#store.backends.replace(name, folder, { acceptLoss: true });
      disk.folder = folder;
      disk.broken = false;
    });
  }

  #disk(name: string): Disk {
    const disk = this.#disks.get(name);
    if (disk === undefined)
      throw storeError('BACKEND_NOT_FOUND', 'there is no such backend', { details: { backend: name } });
    return disk;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
