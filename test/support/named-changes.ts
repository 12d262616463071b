/** Changes of objects, refs, histories and relations for tests of the metadata; keys are those of a namespace. */
import { utf8Encode } from '../../src/bytes/bytes.ts';
import { encodeObjectKey, scopeKey } from '../../src/format/index.ts';
import type { Change } from '../../src/metadata/contract.ts';
import { entryOf, idOf } from './metadata-samples.ts';

type ChangeOf<Type extends Change['type']> = Extract<Change, { readonly type: Type }>;

/** Names of one namespace made into keys, and changes of what is named so. */
export class NamedChanges {
  readonly namespace: number;

  constructor(namespace = 0) {
    this.namespace = namespace;
  }

  key(name: string): Uint8Array {
    return scopeKey(this.namespace, utf8Encode(name));
  }

  objectKey(label: string, objectClass: 'raw' | 'structured' = 'raw'): Uint8Array {
    return encodeObjectKey({ namespace: this.namespace, objectClass, digest: idOf(`object ${label}`) });
  }

  put(name: string, label = name, more: Partial<ChangeOf<'put'>> = {}): ChangeOf<'put'> {
    return { type: 'put', key: this.key(name), entry: entryOf(label), modified: 1000, ...more };
  }

  remove(name: string, more: Partial<ChangeOf<'delete'>> = {}): ChangeOf<'delete'> {
    return { type: 'delete', key: this.key(name), ...more };
  }

  rename(from: string, to: string, replace = false): ChangeOf<'rename'> {
    return { type: 'rename', from: this.key(from), to: this.key(to), replace };
  }

  copy(from: string, to: string, replace = false): ChangeOf<'copy'> {
    return { type: 'copy', from: this.key(from), to: this.key(to), replace, modified: 1000 };
  }

  relate(child: string, parent?: string): ChangeOf<'relation-set'> {
    return {
      type: 'relation-set',
      child: this.key(child),
      parent: parent === undefined ? undefined : this.key(parent),
    };
  }

  /** An object whose bytes are in the form of a small entry; it refers to the raw ones with these labels. */
  object(
    label: string,
    more: Partial<ChangeOf<'object-put'>> & { readonly refersTo?: readonly string[] } = {},
  ): ChangeOf<'object-put'> {
    const { refersTo = [], ...change } = more;
    const references = refersTo.map((one) => this.objectKey(one));
    return {
      type: 'object-put',
      key: this.objectKey(label),
      objectType: 'blob',
      entry: entryOf(label),
      references,
      ...change,
    };
  }

  /** `expected` `null`: absent. */
  ref(name: string, label: string | undefined, expected?: string | null, message = `to ${label}`): ChangeOf<'ref-set'> {
    const at = (one: string | null | undefined) =>
      one === undefined || one === null ? undefined : this.objectKey(one);
    const change = { type: 'ref-set', key: this.key(name), target: at(label), message } as const;
    return expected === undefined ? change : { ...change, expected: { target: at(expected) } };
  }

  forget(history: 'version' | 'move', name: string, numbers: readonly number[], times?: readonly number[]) {
    return { type: 'history-forget', history, key: this.key(name), numbers, ...(times && { times }) } as const;
  }

  policy(policy: ChangeOf<'policy-set'>['policy'], namespace = this.namespace): ChangeOf<'policy-set'> {
    return { type: 'policy-set', namespace, policy };
  }
}
