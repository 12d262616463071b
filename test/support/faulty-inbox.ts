import type { Backend } from '../../src/backend/contract.ts';
import { FaultyBackend, seededRandom } from '../../src/testing/index.ts';
import { type InboxFixture, inboxFixture, isSame, lasting } from './inbox.ts';
import { SOUND } from './stores.ts';

/** Content of some chunks. */
export const CONTENT = seededRandom(12).bytes(200_000);

export interface FaultyFixture extends InboxFixture {
  readonly faults: FaultyBackend;
}

/** A store and a writer that see their blobs through faults. */
export async function faultyFixture(): Promise<FaultyFixture> {
  let faults: FaultyBackend | undefined;
  const wrap = (blobs: Backend): Backend => {
    faults = new FaultyBackend(blobs);
    return lasting(faults);
  };
  const fixture = await inboxFixture({ wrap });
  if (faults === undefined) throw new Error('a fixture wraps its backend');
  // What adopts in the background as the store is opened is done.
  await fixture.store.inbox.adopt();
  return { ...fixture, faults };
}

/** Whether, whatever went wrong before, content can be put and adopted, and all of the store is sound. */
export async function isWell({ store, writer }: InboxFixture): Promise<boolean> {
  await writer.put('afterwards', CONTENT);
  await store.inbox.adopt();
  const { outcome } = await store.maintenance.check();
  return outcome === SOUND.outcome && isSame(await store.get('afterwards'), CONTENT);
}
