import type { Entries } from '../store/types.ts';
import type { ObjectSink } from './object-sink.ts';

/** The objects and refs of a store, or of a namespace, as what an import writes to. */
export function sinkOf({ objects, refs }: Pick<Entries, 'objects' | 'refs'>): ObjectSink {
  /** Blobs that are nothing but bytes: a tree says so of each. */
  const raw = new Set<string>();
  const withMetadata = (metadata: Parameters<ObjectSink['putBundle']>[1]) => metadata && { metadata };
  return {
    async putBlob(bytes, metadata) {
      const { id } = await objects.putBlob(bytes, withMetadata(metadata));
      if (metadata === undefined) raw.add(id);
      return id;
    },
    async putBundle(content, metadata) {
      return (await objects.putBundle(content, withMetadata(metadata))).id;
    },
    async putTree(children, metadata) {
      const named = children.map((child) => ({ ...child, type: raw.has(child.id) ? ('raw' as const) : child.type }));
      return (await objects.putTree(named, withMetadata(metadata))).id;
    },
    async putSnapshot(content, metadata) {
      return (await objects.putSnapshot(content, withMetadata(metadata))).id;
    },
    async setRef(name, { id }) {
      await refs.set(name, id, { message: 'imported' });
    },
  };
}
