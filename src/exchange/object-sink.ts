/** JSON as objects hold it: numbers are doubles. */
export type JsonValue =
  | null
  | boolean
  | string
  | number
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };
export type JsonFields = { readonly [name: string]: JsonValue };

export type ObjectType = 'blob' | 'bundle' | 'tree' | 'snapshot';

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
  putBlob(bytes: Uint8Array, metadata?: JsonFields): Promise<string>;
  putBundle(content: JsonFields, metadata?: JsonFields): Promise<string>;
  putTree(children: readonly SinkChild[], metadata?: JsonFields): Promise<string>;
  putSnapshot(
    content: { readonly bundles: readonly string[]; readonly parent?: string },
    metadata?: JsonFields,
  ): Promise<string>;
  /** Names the object, which is of that type. */
  setRef(name: string, target: { readonly type: ObjectType; readonly id: string }): Promise<void>;
}
