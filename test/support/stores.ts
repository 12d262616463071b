/** Stores for tests: closed and removed when the test ends, however it ends. */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type CreateOptions, createStore, type OpenOptions, openStore, type Store } from '../../src/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';

/** What tests leave out: no reserve is set aside, since writing 16 MiB each time is the subject of few of them. */
const PLAIN = { keys: 'none', reserveBytes: 0 } as const;

type Options = Partial<CreateOptions>;

export function closedAfterTest<T extends { close(): Promise<void> }>(one: T): T {
  // A test of a failure may leave a store that cannot write what is pending; its outcome was asserted by then.
  onTestFinished(() => one.close().catch(() => undefined));
  return one;
}

export async function memoryStore(options: Options = {}): Promise<Store> {
  return closedAfterTest(await createStore('memory:', { ...PLAIN, ...options }));
}

/** One store in memory for all tests of a file or `describe`: opening one takes longer than most of what they do. */
export function sharedStore(options: Options = {}): { readonly store: Store } {
  let opened: Store | undefined;
  beforeAll(async () => {
    opened = await createStore('memory:', { ...PLAIN, ...options });
  });
  afterAll(() => opened?.close());
  return {
    get store() {
      if (opened === undefined) throw new Error('a shared store is there once tests run');
      return opened;
    },
  };
}

/** An empty folder. */
export async function testFolder(): Promise<string> {
  const folder = await makeTemporaryFolder();
  onTestFinished(() => folder.remove());
  return folder.path;
}

export interface FolderStore {
  readonly path: string;
  readonly store: Store;
}

export async function folderStore(options: Options = {}): Promise<FolderStore> {
  const path = await testFolder();
  return { path, store: closedAfterTest(await createStore(path, { ...PLAIN, ...options })) };
}

/** A store that is filled once for a file and copied for each test: copying takes a tenth of the time. */
export function storeTemplate(
  fill: (store: Store) => Promise<unknown>,
  options: Options = {},
): { copy(): Promise<string> } {
  let template: TemporaryFolder | undefined;
  beforeAll(async () => {
    template = await makeTemporaryFolder();
    const store = await createStore(template.path, { ...PLAIN, ...options });
    await fill(store);
    await store.close();
  });
  afterAll(() => template?.remove());
  return {
    async copy() {
      const folder = await testFolder();
      if (template) await cp(template.path, folder, { recursive: true });
      return folder;
    },
  };
}

/** Opens what a test has; `reserveBytes` is 0 unless given. */
export async function reopen(location: Parameters<typeof openStore>[0], options: OpenOptions = {}): Promise<Store> {
  return closedAfterTest(await openStore(location, { reserveBytes: 0, ...options }));
}

/** Everything an iteration gives. */
export function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items);
}

export async function keysOf(store: Pick<Store, 'list'>, options?: Parameters<Store['list']>[0]): Promise<string[]> {
  return (await all(store.list(options))).map(({ key }) => key);
}

/** What a check says when nothing is wrong. */
export const SOUND = { outcome: 'ok', problems: [], problemCount: 0 } as const;
