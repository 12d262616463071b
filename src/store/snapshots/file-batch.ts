import type { ScannedNode } from '../../folders/index.ts';
import { MIB } from '../../limits.ts';
import type { StoredNode } from './remembered.ts';

/** Enough that a message to the thread that reads them is nothing beside them. */
const BATCH_FILES_MAX = 256;
/** What one message carries. */
const BATCH_BYTES_MAX = 2 * MIB;

/** What a name will stand for, once `ready` is settled, which never rejects; nothing then where that failed. */
export interface NodeOnItsWay {
  readonly ready: Promise<unknown>;
  readonly stored: StoredNode | undefined;
}

/** Small files that are read and stored together. */
export class FileBatch {
  readonly #nodes: ScannedNode[] = [];
  readonly #children: { readonly ready: Promise<void>; stored: StoredNode | undefined }[] = [];
  readonly #settled = Promise.withResolvers<void>();
  #bytes = 0;

  get nodes(): readonly ScannedNode[] {
    return this.#nodes;
  }

  hasRoomFor({ size }: ScannedNode): boolean {
    return this.#nodes.length < BATCH_FILES_MAX && this.#bytes + size + 1 <= BATCH_BYTES_MAX;
  }

  add(node: ScannedNode): NodeOnItsWay {
    const child = { ready: this.#settled.promise, stored: undefined };
    this.#nodes.push(node);
    this.#children.push(child);
    // Each is read with room for one byte more, which shows whether it has grown.
    this.#bytes += node.size + 1;
    return child;
  }

  /** One of them is stored, by its index. */
  store(index: number, stored: StoredNode): void {
    const child = this.#children[index];
    if (child) child.stored = stored;
  }

  /** Whoever waits for any of them waits no longer. */
  settle(): void {
    this.#settled.resolve();
  }
}
