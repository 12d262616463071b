import type { JsonObject, ObjectType } from '../objects/index.ts';

/** A named reference to an object that was put before. */
export interface SinkChild {
  readonly name: string;
  readonly type: ObjectType;
  readonly id: string;
}

/**
 * Where imported objects go. Each call stores one object and gives its id; what it refers to was put before. Metadata
 * is left out when there is none. A rejection of kind `invalid` concerns that object, any other ends the import.
 */
export interface ObjectSink {
  putBlob(bytes: Uint8Array, metadata?: JsonObject): Promise<string>;
  putBundle(content: JsonObject, metadata?: JsonObject): Promise<string>;
  putTree(children: readonly SinkChild[], metadata?: JsonObject): Promise<string>;
  putSnapshot(
    content: { readonly bundles: readonly string[]; readonly parent?: string },
    metadata?: JsonObject,
  ): Promise<string>;
  /** Names the object, which is of that type. */
  setRef(name: string, target: { readonly type: ObjectType; readonly id: string }): Promise<void>;
}
