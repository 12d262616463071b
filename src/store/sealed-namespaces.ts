import { argumentRangeError, argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import { decodeEntryRow, scopePrefix } from '../format/index.ts';
import { addNamespace, dropNamespace, type KeyState, type NamespaceFacts, setNamespaceQuota } from '../keys/index.ts';
import { LIST_PAGE_DEFAULT } from '../limits.ts';
import { type NamespaceCounters, NOTHING_HELD } from '../metadata/index.ts';
import type { Engine } from './engine.ts';
import type { NamespaceInfo, Namespaces, ShredReport } from './key-types.ts';
import type { Keychain } from './keychain.ts';
import type { SealedCalls } from './sealed-calls.ts';
import type { CallOptions } from './types.ts';

const DEFAULT_NAMESPACE = 0;
const DROP_TRIES_MAX = 1000;

/** See `Namespaces`. The ring names them, the metadata counts them. */
export class SealedNamespaces implements Namespaces {
  readonly #calls: SealedCalls;

  constructor(calls: SealedCalls) {
    this.#calls = calls;
  }

  create(name: string, options: CallOptions & { readonly quotaBytes?: number } = {}): Promise<NamespaceInfo> {
    return this.#calls.change(options, async (keychain, engine) => {
      const quotaBytes = checkQuota(options.quotaBytes);
      const { keyring } = await keychain.change((now) =>
        addNamespace(now, { name, ...(quotaBytes !== undefined && { quotaBytes }) }, engine.keyContext),
      );
      return toInfo(keyring.namespace(name), NOTHING_HELD);
    });
  }

  list(options: CallOptions = {}): Promise<readonly NamespaceInfo[]> {
    return this.#calls.call(options, async (keychain, engine) => {
      await keychain.reload();
      return Object.freeze(await Promise.all(keychain.keyring.namespaces.map((facts) => infoOf(engine, facts))));
    });
  }

  stat(name: string, options: CallOptions = {}): Promise<NamespaceInfo> {
    return this.#calls.call(options, async (keychain, engine) => await infoOf(engine, await keychain.namespace(name)));
  }

  setQuota(name: string, quotaBytes: number | undefined, options: CallOptions = {}): Promise<NamespaceInfo> {
    return this.#calls.change(options, async (keychain, engine) => {
      const quota = checkQuota(quotaBytes);
      // Before the change: once that has happened nothing may fail as if it had not.
      const held = await heldBy(engine, await keychain.namespace(name));
      const { keyring } = await keychain.change((now) =>
        setNamespaceQuota(now, { name, quotaBytes: quota }, engine.keyContext),
      );
      return toInfo(keyring.namespace(name), held);
    });
  }

  drop(name: string, options: CallOptions & { readonly shred: true }): Promise<ShredReport> {
    if (typeof options !== 'object' || options === null) throw argumentTypeError('options', '{ shred: true }', options);
    return this.#calls.change(options, async (keychain, engine) => {
      if (options.shred !== true) throw argumentRangeError('shred', 'true: dropping destroys', options.shred);
      const { number } = await keychain.namespace(name);
      if (number === DEFAULT_NAMESPACE)
        throw storeError('NAMESPACE_INVALID', 'the default namespace cannot be dropped: it is the store itself');
      // Stopped at any point it can be asked for again: the namespace is there until its key is gone, and by then
      // nothing else of it is; its packs wait among the dropped ones.
      await keychain.change((now) =>
        setNamespaceQuota(sameNamespace(now, name, number), { name, quotaBytes: 0 }, engine.keyContext),
      );
      await dropEmptied(engine, keychain, { name, number });
      engine.scopes.forget(number);
      return await engine.upkeep.shred({ scrub: true });
    });
  }

  shred(options: CallOptions = {}): Promise<ShredReport> {
    return this.#calls.change(options, (_keychain, engine) => engine.upkeep.shred({ scrub: true }));
  }
}

function checkQuota(quotaBytes: number | undefined): number | undefined {
  return quotaBytes === undefined ? undefined : checkInteger('quotaBytes', quotaBytes, { min: 0 });
}

function heldBy(engine: Engine, { number }: NamespaceFacts): Promise<NamespaceCounters> {
  return engine.metadata.namespaceCounters(number);
}

async function infoOf(engine: Engine, facts: NamespaceFacts): Promise<NamespaceInfo> {
  return toInfo(facts, await heldBy(engine, facts));
}

function toInfo(facts: NamespaceFacts, held: NamespaceCounters): NamespaceInfo {
  const { name, created, quotaBytes } = facts;
  const { entries, logicalBytes, chunks, uniqueBytes, storedBytes } = held;
  return Object.freeze({
    ...{ name, created, entries, logicalBytes, chunks, uniqueBytes, storedBytes },
    ...(quotaBytes !== undefined && { quotaBytes }),
  });
}

/** @throws `not-found/NAMESPACE_NOT_FOUND` when the name is that of another namespace by now */
function sameNamespace(state: KeyState, name: string, number: number): KeyState {
  if (state.keyring.namespace(name).number === number) return state;
  throw storeError('NAMESPACE_NOT_FOUND', `the namespace ${JSON.stringify(name)} was dropped`, {
    details: { namespace: name },
  });
}

/**
 * Empties a namespace and removes its key in the moment in which nothing is in it. Its quota lets nothing grow there any
 * more; what was on its way is dropped as well.
 */
async function dropEmptied(
  engine: Engine,
  keychain: Keychain,
  { name, number }: Pick<NamespaceFacts, 'name' | 'number'>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await dropState(engine, number);
    try {
      const remove = (now: KeyState) => dropNamespace(sameNamespace(now, name, number), name, engine.keyContext);
      await keychain.change(remove, { emptyNamespace: number });
      return;
    } catch (error) {
      if (!isStoreError(error, 'PRECONDITION_FAILED') || tries === DROP_TRIES_MAX) throw error;
    }
  }
}

/** Takes entries, items and packs of a namespace out of the state. */
async function dropState(engine: Engine, namespace: number): Promise<void> {
  const request = { changes: [{ type: 'namespace-drop', namespace }], inline: [] } as const;
  for (;;) {
    try {
      await engine.committer.submit(request);
      return;
    } catch (error) {
      // More keys of isolated entries than one commit names: those go first.
      if (!isStoreError(error, 'BATCH_TOO_LARGE')) throw error;
      await deleteIsolated(engine, namespace);
    }
  }
}

/** Deletes isolated entries of a namespace, a page of them. */
async function deleteIsolated(engine: Engine, namespace: number): Promise<void> {
  const prefix = scopePrefix(namespace);
  for (let after: { readonly key: Uint8Array } | undefined; ; ) {
    const rows = await engine.metadata.listEntries({ prefix, limit: LIST_PAGE_DEFAULT, ...(after && { after }) });
    after = rows.at(-1);
    if (after === undefined) return;
    const changes = rows
      .filter((row) => 'isolated' in decodeEntryRow(row.entry))
      .map(({ key }) => ({ type: 'delete', key }) as const);
    if (changes.length > 0) await engine.committer.submit({ changes, inline: [] });
  }
}
