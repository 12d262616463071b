/** A store for tests of what its snapshots are made with: functions over the engine behind it. */
import { vi } from 'vitest';
import type { CreateOptions, Store } from '../../src/index.ts';
import { Engine } from '../../src/store/engine.ts';
import type { GraphContext } from '../../src/store/snapshots/graph-context.ts';
import { memoryStore } from './stores.ts';

export interface GraphStore {
  readonly store: Store;
  /** Of the default namespace. */
  readonly context: GraphContext;
}

export async function graphStore(options: Partial<CreateOptions> = {}): Promise<GraphStore> {
  const opening = vi.spyOn(Engine.prototype, 'startWriting');
  try {
    const store = await memoryStore(options);
    const engine = opening.mock.contexts.at(-1);
    if (!(engine instanceof Engine)) throw new Error('a writable store has an engine');
    return { store, context: { engine, scope: await engine.scopes.named() } };
  } finally {
    opening.mockRestore();
  }
}

/** Relates entries: `null` for no parent. */
export async function relate(
  { engine, scope }: GraphContext,
  relations: Readonly<Record<string, string | null>>,
): Promise<void> {
  const changes = Object.entries(relations).map(([child, parent]) => ({
    type: 'relation-set' as const,
    child: scope.key(child),
    parent: parent === null ? undefined : scope.key(parent),
  }));
  await engine.commit(scope, { changes, inline: [] });
}

/** Keys and the parents they have. */
export async function parentsOfEntries(
  { engine, scope }: GraphContext,
  keys: readonly string[],
): Promise<Readonly<Record<string, string | null>>> {
  const related = await engine.metadata.getRelations(keys.map((key) => scope.key(key)));
  return Object.fromEntries(
    keys.map((key, index) => {
      const parent = related[index]?.parent;
      return [key, parent ? Buffer.from(parent.subarray(scope.prefix('').length)).toString() : null];
    }),
  );
}
