import type { ObjectReference, StructuredObject, TreeChild } from './types.ts';

/**
 * What an object refers to, in the order in which it does, each once. What a bundle holds is the user's and refers to
 * nothing.
 */
export function referencesOf(object: StructuredObject): readonly ObjectReference[] {
  const found = new Map<string, ObjectReference>();
  for (const reference of allReferences(object)) {
    const key = typedKey(reference);
    if (!found.has(key)) found.set(key, reference);
  }
  return [...found.values()];
}

/** What references to the same object have in common, as text: its class and id, whatever type they say it has. */
export function referenceKey({ type, id }: ObjectReference): string {
  return type === 'raw' ? `raw:${id}` : id;
}

/** A reference as text. Of two that give one id two types, one is wrong. */
export function typedKey({ type, id }: ObjectReference): string {
  return `${type}:${id}`;
}

function* allReferences(object: StructuredObject): Generator<ObjectReference> {
  switch (object.type) {
    case 'blob':
      yield { type: 'raw', id: object.content.id };
      return;
    case 'bundle':
      return;
    case 'tree':
      if ('nodes' in object.content) for (const { id } of object.content.nodes) yield { type: 'tree', id };
      else {
        for (const child of object.content.entries) {
          const reference = referenceOfChild(child);
          if (reference) yield reference;
        }
      }
      return;
    case 'snapshot': {
      const { tree, entries, bundles = [], parent, merged = [] } = object.content;
      for (const id of [tree, entries]) if (id !== undefined) yield { type: 'tree', id };
      for (const id of bundles) yield { type: 'bundle', id };
      for (const id of [parent, ...merged]) if (id !== undefined) yield { type: 'snapshot', id };
    }
  }
}

/** The object that a child of a tree names; none for a link. */
export function referenceOfChild(child: TreeChild): ObjectReference | undefined {
  switch (child.type) {
    case 'link':
      return undefined;
    case 'file':
    case 'entry':
      return { type: 'raw', id: child.id };
    case 'folder':
      return { type: 'tree', id: child.id };
    default:
      return { type: child.type, id: child.id };
  }
}
