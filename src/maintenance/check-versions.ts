/** Earlier versions of entries hold content that no entry may hold any more: is it all there? */
import { storeError } from '../errors/store-error.ts';
import type { VersionRow } from '../metadata/object-contract.ts';
import { ContentCheck } from './check-content.ts';
import { aboutEntry, type ContentFindings, openChecked } from './check-entries.ts';
import type { CheckedEntry, CheckedStore, CheckOptions } from './checked-store.ts';
import { isProblem } from './problems.ts';

const PAGE_HISTORIES = 1000;
const PAGE_VERSIONS = 256;

/** @returns how many versions are kept */
export async function checkVersions(
  store: CheckedStore,
  findings: ContentFindings,
  { signal, onProgress }: CheckOptions,
): Promise<number> {
  const content = new ContentCheck(store, findings.lostPacks);
  let done = 0;
  let bytes = 0;
  for await (const version of allVersions(store)) {
    signal?.throwIfAborted();
    const tell = (error: unknown): Promise<void> => tellOfVersion(store, version, { error, findings });
    let entry: CheckedEntry | undefined;
    try {
      entry = await openChecked(store, version.row);
    } catch (error) {
      await tell(error);
    }
    if (entry) {
      const { value, ids, reader } = entry;
      await content.add({ value, ids, reader, tell });
    }
    done += 1;
    bytes += version.row.size;
    onProgress?.({ phase: 'check versions', done, bytes });
  }
  await content.finish();
  return done;
}

async function* allVersions({ metadata, namespaces }: CheckedStore): AsyncGenerator<VersionRow> {
  for (const namespace of namespaces.keys()) {
    let after: Uint8Array | undefined;
    do {
      const query = { namespace, limit: PAGE_HISTORIES, ...(after && { after }) };
      const { keys, next } = await metadata.listHistories('version', query);
      for (const key of keys) {
        for (let before: number | undefined; ; ) {
          const query = { limit: PAGE_VERSIONS, ...(before !== undefined && { before }) };
          const page = await metadata.getHistory('version', key, query);
          yield* page;
          before = page.at(-1)?.number;
          if (before === undefined) break;
        }
      }
      after = next;
    } while (after);
  }
}

/** One that was forgotten meanwhile may have lost its content by now. */
async function tellOfVersion(
  store: CheckedStore,
  { number, row }: VersionRow,
  { error, findings }: { readonly error: unknown; readonly findings: ContentFindings },
): Promise<void> {
  if (!isProblem(error)) throw error;
  const [now] = await store.metadata.getHistory('version', row.key, { before: number + 1, limit: 1 });
  if (now?.number !== number) return;
  const { details } = error;
  const named = storeError(error.code, `version ${number}: ${error.message}`, { details, cause: error });
  findings.problems.addError(named, aboutEntry(store, row));
}
