/** What callers may do: the one place that decides it. */
import { storeError } from '../../errors/store-error.ts';

/**
 * `read` reads entries; `put` makes new ones and replaces none; `write` changes and deletes them; `admin` may do all of that,
 * and what concerns the store as a whole.
 */
export type Verb = 'read' | 'put' | 'write' | 'admin';

/** Every verb. */
export const VERBS: readonly Verb[] = ['read', 'put', 'write', 'admin'];

/** What one caller may do, and under which name it is told of. */
export interface Grant {
  readonly name: string;
  readonly verbs: readonly Verb[];
  /** Whose entries; `default` are those outside of every namespace. Absent: all, and the store as a whole. */
  readonly namespaces?: readonly string[];
}

/** What a route asks for. */
export interface Demand {
  readonly verb: Verb;
  /** Whose entries; absent: the store as a whole. */
  readonly namespace?: string;
}

/** Name of the entries that are in no namespace. */
export const DEFAULT_NAMESPACE = 'default';

export function mayDo(grant: Grant, verb: Verb): boolean {
  const { verbs } = grant;
  return verbs.includes('admin') || verbs.includes(verb) || (verb === 'put' && verbs.includes('write'));
}

/** What is told of a namespace that is not there, and of one that is not for this caller: nobody can tell which. */
export function namespaceNotFound(namespace: string): Error {
  return storeError('NAMESPACE_NOT_FOUND', 'there is no such namespace', { details: { namespace } });
}

/**
 * @returns the grant, once it is known to cover what is asked for
 * @throws `denied/TOKEN_REQUIRED` for nobody, `denied/ACTION_FORBIDDEN`, `not-found/NAMESPACE_NOT_FOUND`
 */
export function authorize(grant: Grant | undefined, { verb, namespace }: Demand): Grant {
  if (grant === undefined) throw storeError('TOKEN_REQUIRED', 'this needs a token: Authorization: Bearer <token>');
  const { namespaces } = grant;
  if (namespaces !== undefined) {
    if (namespace === undefined)
      throw storeError('ACTION_FORBIDDEN', 'this concerns the whole store; the token does not');
    if (!namespaces.includes(namespace)) throw namespaceNotFound(namespace);
  }
  if (!mayDo(grant, verb)) throw storeError('ACTION_FORBIDDEN', `this needs a token that may ${verb}`);
  return grant;
}
