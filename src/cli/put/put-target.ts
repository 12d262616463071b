import type { ProgressOptions, PutItem, PutOnlyResult, PutOptions, PutResult, Source } from '../../index.ts';
import { loadLibrary } from '../library.ts';
import { declaredIn } from '../secrets/opening.ts';
import type { Session } from '../session.ts';
import { usageError } from '../usage-error.ts';
import type { PutPlan } from './plan.ts';

/** What is known of a put; a put-only writer learns less of it. */
export type PutOutcome = PutOnlyResult & Partial<PutResult>;

/** Where content goes: into a store, or into its inbox. */
export interface PutTarget {
  /** Whether what is put waits until somebody with the keys takes it over. */
  readonly waits: boolean;
  put(key: string | null, source: Source, options: PutOptions): Promise<PutOutcome>;
  /** Puts many in one commit, all or none. Absent where each goes alone. */
  putMany?(items: AsyncIterable<PutItem>, options: ProgressOptions): Promise<readonly PutOutcome[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a put-only writer cannot say: he creates, and whoever adopts does the rest. */
function refuseFlags(session: Session, { flags, roots, options }: PutPlan): void {
  const content = ['chunking', 'verifyExisting', 'isolation', 'redundancy'] as const;
  const others = ['ifMatch', 'name', 'keepVersions', 'relations'] as const;
  const impossible = [...content, ...others].filter((name) => options[name] !== undefined);
  if (impossible.length > 0 || flags.name === 'digest') {
    throw usageError('with a put-only credential, content goes under a key of its own and is never replaced or read');
  }
  if (roots.some(({ name }) => name === '')) throw usageError('with a put-only credential, content needs a --key');
  if (session.options.namespace !== undefined) throw usageError('the credential says which namespace it writes to');
}

async function openInbox(session: Session, plan: PutPlan, credential: string): Promise<PutTarget> {
  refuseFlags(session, plan);
  const { openPutOnly } = await loadLibrary();
  const location = await session.storeLocation();
  const inbox = await openPutOnly(location, { credential, ...session.reachOptions() });
  return {
    waits: true,
    put: (key, source, { contentType, attributes, signal, onProgress }) =>
      inbox.put(key ?? '', source, {
        ...(contentType !== undefined && { contentType }),
        ...(attributes !== undefined && { attributes }),
        ...(signal !== undefined && { signal }),
        ...(onProgress !== undefined && { onProgress }),
      }),
    [Symbol.asyncDispose]: () => inbox.close(),
  };
}

/** Opens what a `put` puts into: with a credential the inbox, else the store. */
export async function openPutTarget(session: Session, plan: PutPlan): Promise<PutTarget> {
  const declared = declaredIn(session);
  if (declared?.kind === 'credential') return openInbox(session, plan, declared.path);
  const store = await session.openStore();
  const entries = session.entriesOf(store);
  return {
    waits: false,
    put: (key, source, options) => entries.put(key, source, options),
    putMany: (items, options) => entries.putMany(items, options),
    [Symbol.asyncDispose]: () => store.close(),
  };
}
