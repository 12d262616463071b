import { isStoreError, storeError } from '../errors/store-error.ts';
import { deleteDroppedPacks, type MergeContext } from '../maintenance/merge.ts';
import type { ShredReport } from './key-types.ts';
import type { Keychain } from './keychain.ts';

export interface ShredContext extends Pick<MergeContext, 'metadata' | 'packs' | 'flushJournal' | 'signal'> {
  readonly keychain: Keychain;
  /**
   * Whether a key may have been in the metadata: those of namespaces are, in the config; those of isolated entries
   * never.
   */
  readonly scrub: boolean;
}

/**
 * Destroys what the state has let go of for good: the keys of isolated entries, then the packs that nothing needs. What
 * the metadata remembers as undone survives every crash; each call goes on where the last one stopped.
 */
export async function shred(context: ShredContext): Promise<ShredReport> {
  const pending: string[] = [];
  await attempt(pending, 'keys of isolated entries', () => destroyKeys(context, pending));
  await attempt(pending, 'packs of dropped keys', () => deleteDroppedPacks(context));
  if (context.scrub) await scrub(context, pending);
  return Object.freeze({ done: pending.length === 0, pending: Object.freeze(pending) });
}

/** @throws `unavailable/SHRED_PENDING` */
export function needDone(report: ShredReport): ShredReport {
  if (report.done) return report;
  const message = `the change is committed, but not everything is destroyed yet: ${report.pending[0]}`;
  throw storeError('SHRED_PENDING', message, { retry: false });
}

async function destroyKeys({ metadata, keychain, signal }: ShredContext, pending: string[]): Promise<void> {
  for (let after = -1; ; ) {
    signal.throwIfAborted();
    const page = await metadata.pendingShreds({ after });
    const last = page.at(-1);
    if (last === undefined) return;
    const destroyed: number[] = [];
    for (const namespace of page) {
      const key = `the key of an isolated entry (${namespace})`;
      await attempt(pending, key, async () => {
        await keychain.destroyIsolated(namespace);
        destroyed.push(namespace);
      });
    }
    await metadata.forgetShreds(destroyed);
    after = last;
  }
}

/**
 * The config of before, whose ring has the key and which the same master key opens, lies in the log of the metadata.
 */
async function scrub({ metadata }: ShredContext, pending: string[]): Promise<void> {
  const what = 'older configs in the files of the metadata';
  await attempt(pending, what, async () => {
    if (!(await metadata.scrub())) pending.push(`${what}: somebody still reads them`);
  });
}

/** Of failures that end when somebody tries again: what was let go of is committed, and must not look as if it was not. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'denied', 'exhausted', 'conflict']);

/** Runs `work`; a backend or metadata that cannot do it now leave it pending. */
async function attempt<T>(pending: string[], what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isStoreError(error) || !PASSING.has(error.kind)) throw error;
    pending.push(`${what}: ${error.message}`);
    return undefined;
  }
}
