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
      else for (const child of object.content.entries) yield* referenceOfChild(child);
      return;
    case 'snapshot': {
      const { tree, entries, bundles = [], parent, merged = [] } = object.content;
      for (const id of [tree, entries]) if (id !== undefined) yield { type: 'tree', id };
      for (const id of bundles) yield { type: 'bundle', id };
      for (const id of [parent, ...merged]) if (id !== undefined) yield { type: 'snapshot', id };
    }
  }
}

function* referenceOfChild(child: TreeChild): Generator<ObjectReference> {
  switch (child.type) {
    case 'link':
      return;
    case 'file':
    case 'entry':
      yield { type: 'raw', id: child.id };
      return;
    case 'folder':
      yield { type: 'tree', id: child.id };
      return;
    default:
      yield { type: child.type, id: child.id };
  }
}
