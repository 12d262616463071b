import type { Backend, BlobInfo, ListOptions } from '../../src/backend/contract.ts';
import { isStoreError, storeError } from '../../src/errors/store-error.ts';
import { yieldToEventLoop } from '../../src/runtime/timers.ts';
import { type Breakage, type Disk, override } from './sound-backend.ts';

/** A backend that breaks one guarantee, and the number under which the suite has to find it. */
export interface BrokenBackend {
  readonly number: string;
  readonly title: string;
  readonly breakage: Breakage;
}

function listWith(
  sound: Backend,
  change: (page: readonly BlobInfo[], options: ListOptions) => readonly BlobInfo[],
): Backend {
  return override(sound, { list: async (options = {}) => change(await sound.list(options), options) });
}

/** Answers a failure with something harmless, as a catch-all does. */
async function hushed<T>(call: () => Promise<T>, instead: T): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isStoreError(error, 'BACKEND_IO')) return instead;
    throw error;
  }
}

/** Disks that never got what was put on them: known when the backend that forgets is opened again. */
const unwritten = new WeakSet<Disk>();

const VALUES: readonly BrokenBackend[] = [
  {
    number: 'B1',
    title: 'put resolves before the blob is there',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          const copy = bytes.slice();
          void yieldToEventLoop().then(() => sound.put(key, copy, options).catch(() => undefined));
        },
      }),
  },
  {
    number: 'B1',
    title: 'get answers from a cache that put does not know of',
    breakage: (sound) => {
      const cache = new Map<string, Uint8Array>();
      return override(sound, {
        get: async (key, options) => {
          if (options?.signal || options?.offset !== undefined || options?.length !== undefined)
            return sound.get(key, options);
          const bytes = cache.get(key) ?? (await sound.get(key));
          if (bytes) cache.set(key, bytes);
          return bytes?.slice();
        },
      });
    },
  },
  {
    number: 'B2',
    title: 'put writes in place, in two halves',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          if (!options?.ifAbsent) {
            await sound.put(key, bytes.slice(0, bytes.length >> 1), options);
            await yieldToEventLoop();
          }
          await sound.put(key, bytes, options);
        },
      }),
  },
  {
    number: 'B2',
    title: 'an aborted put has removed the old value',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          if (!options?.signal || options.signal.aborted) return sound.put(key, bytes, options);
          const copy = bytes.slice();
          await sound.delete(key);
          for (let turn = 0; turn < 3; turn += 1) await yieldToEventLoop();
          await sound.put(key, copy, options);
        },
      }),
  },
  {
    number: 'B3',
    title: 'what was put is lost with the process, though durable is claimed',
    breakage: (sound, disk) => {
      if (unwritten.has(disk)) void disk.memory.delete('b3/new');
      return override(sound, {
        put: async (key, bytes, options) => {
          await sound.put(key, bytes, options);
          if (key === 'b3/new') unwritten.add(disk);
        },
      });
    },
  },
  {
    number: 'B3',
    title: 'it is durable and says it is not',
    breakage: (sound) => override(sound, { capabilities: { ...sound.capabilities, durable: false } }),
  },
  {
    number: 'B4',
    title: 'ifAbsent is ignored',
    breakage: (sound) =>
      override(sound, { put: (key, bytes, options) => sound.put(key, bytes, { ...options, ifAbsent: false }) }),
  },
  {
    number: 'B4',
    title: 'ifAbsent looks first and writes then',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          if (options?.ifAbsent && (await sound.head(key))) throw storeError('BLOB_EXISTS', 'taken');
          if (options?.ifAbsent) await yieldToEventLoop();
          await sound.put(key, bytes, { ...options, ifAbsent: false });
        },
      }),
  },
  {
    number: 'B5',
    title: 'an absent key is an error',
    breakage: (sound) =>
      override(sound, {
        get: async (key, options) => {
          const bytes = await sound.get(key, options);
          if (!bytes) throw storeError('BACKEND_IO', 'no such file');
          return bytes;
        },
      }),
  },
  {
    number: 'B5',
    title: 'a failed read is an absent blob',
    breakage: (sound) => override(sound, { get: (key, options) => hushed(() => sound.get(key, options), undefined) }),
  },
  {
    number: 'B5',
    title: 'a failed listing is an empty one',
    breakage: (sound) => override(sound, { list: (options) => hushed(() => sound.list(options), []) }),
  },
  {
    number: 'B6',
    title: 'a range past the end is shortened',
    breakage: (sound) =>
      override(sound, {
        get: async (key, options = {}) => {
          const { length: _length, ...rest } = options;
          const bytes = await sound.get(key, rest);
          return bytes?.slice(0, options.length);
        },
      }),
  },
  {
    number: 'B6',
    title: 'a range of length zero gives all',
    breakage: (sound) =>
      override(sound, {
        get: (key, { length, ...rest } = {}) => sound.get(key, { ...rest, ...(length ? { length } : {}) }),
      }),
  },
  {
    number: 'B7',
    title: 'deleting an absent key is an error',
    breakage: (sound) =>
      override(sound, {
        delete: async (key, options) => {
          if (!options?.signal?.aborted && !(await sound.head(key))) throw storeError('BACKEND_IO', 'no such file');
          await sound.delete(key, options);
        },
      }),
  },
];

const LISTINGS: readonly BrokenBackend[] = [
  {
    number: 'B8',
    title: 'list is in the order of folders walked by name',
    breakage: (sound) => {
      const byName = (a: string, b: string) => {
        const [left, right] = [a.split('/'), b.split('/')];
        const at = left.findIndex((part, index) => part !== right[index]);
        return (left[at] ?? '') < (right[at] ?? '') ? -1 : 1;
      };
      return listWith(sound, (page) => page.toSorted((a, b) => byName(a.key, b.key)));
    },
  },
  {
    number: 'B8',
    title: 'list takes the prefix for a folder',
    breakage: (sound) =>
      listWith(sound, (page, { prefix = '' }) =>
        page.filter((blob) => prefix === '' || prefix.endsWith('/') || blob.key.startsWith(`${prefix}/`)),
      ),
  },
  {
    number: 'B8',
    title: 'list starts with the key it should start after',
    breakage: (sound) =>
      override(sound, {
        list: async (options = {}) => {
          const page = await sound.list(options);
          const info = options.after === undefined ? undefined : await sound.head(options.after);
          return info?.key.startsWith(options.prefix ?? '') ? [info, ...page].slice(0, options.limit) : page;
        },
      }),
  },
  {
    number: 'B8',
    title: 'list gives keys twice',
    breakage: (sound) => listWith(sound, (page) => [...page.slice(0, 1), ...page]),
  },
  {
    number: 'B8',
    title: 'list stops short of a page',
    breakage: (sound) =>
      listWith(sound, (page, { limit = 1000 }) => (page.length === limit ? page.slice(0, -1) : page)),
  },
];

/** A key that a sound backend accepts, whatever it was. */
function laundered(key: string): string {
  return key.replaceAll(/[^a-z0-9]/g, 'x') || 'x';
}

const CALLS: readonly BrokenBackend[] = [
  {
    number: 'B9',
    title: 'keys are taken as they come',
    breakage: (sound) => override(sound, { put: (key, bytes, options) => sound.put(laundered(key), bytes, options) }),
  },
  {
    number: 'B9',
    title: 'reading with an illegal key says absent',
    breakage: (sound) =>
      override(sound, {
        get: async (key, options) => {
          try {
            return await sound.get(key, options);
          } catch (error) {
            if (isStoreError(error, 'BACKEND_KEY_INVALID')) return undefined;
            throw error;
          }
        },
      }),
  },
  {
    number: 'B9',
    title: 'long keys are refused',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          if (key.length > 100) throw storeError('BACKEND_KEY_INVALID', 'too long for me');
          await sound.put(key, bytes, options);
        },
      }),
  },
  {
    number: 'B10',
    title: 'the array of the caller is kept',
    breakage: (sound) => {
      const kept = new Map<string, Uint8Array>();
      return override(sound, {
        put: async (key, bytes, options) => {
          await sound.put(key, bytes, options);
          kept.set(key, bytes);
        },
        get: async (key, options) => {
          const bytes = await sound.get(key, options);
          return (
            bytes &&
            (kept.get(key) ?? bytes).slice(
              options?.offset,
              options?.offset === undefined ? undefined : options.offset + bytes.length,
            )
          );
        },
      });
    },
  },
  {
    number: 'B10',
    title: 'the array of the caller is written on',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          await sound.put(key, bytes, options);
          bytes.fill(0);
        },
      }),
  },
  {
    number: 'B10',
    title: 'two readers are given one array',
    breakage: (sound) => {
      const shared = new Map<string, Uint8Array>();
      return override(sound, {
        get: async (key, options) => {
          const bytes = await sound.get(key, options);
          const before = shared.get(key);
          if (!bytes || (before && before.length === bytes.length)) return bytes && before;
          shared.set(key, bytes);
          return bytes;
        },
        put: async (key, bytes, options) => {
          await sound.put(key, bytes, options);
          shared.delete(key);
        },
      });
    },
  },
  {
    number: 'B11',
    title: 'an aborted put is done all the same',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          const { signal, ...rest } = options ?? {};
          await sound.put(key, bytes, rest);
          signal?.throwIfAborted();
        },
      }),
  },
  {
    number: 'B11',
    title: 'listing does not know signals',
    breakage: (sound) => override(sound, { list: ({ signal: _signal, ...options } = {}) => sound.list(options) }),
  },
  {
    number: 'B12',
    title: 'a closed backend goes on',
    breakage: (sound) => override(sound, { close: async () => undefined }),
  },
  {
    number: 'B12',
    title: 'closing twice is an error',
    breakage: (sound) => {
      let closed = false;
      return override(sound, {
        close: async () => {
          if (closed) throw storeError('BACKEND_CLOSED', 'closed already');
          closed = true;
          await sound.close();
        },
      });
    },
  },
  {
    number: 'B13',
    title: 'a failure loses its cause',
    breakage: (sound) =>
      override(sound, {
        head: async (key, options) => {
          try {
            return await sound.head(key, options);
          } catch (error) {
            throw isStoreError(error, 'BACKEND_IO') ? storeError('BACKEND_IO', error.message) : error;
          }
        },
      }),
  },
  {
    number: 'B13',
    title: 'a bare system error comes through',
    breakage: (sound, disk) =>
      override(sound, {
        space: async (options) => {
          if (disk.failed) throw Object.assign(new Error('EIO'), { code: 'EIO' });
          return sound.space(options);
        },
      }),
  },
  {
    number: 'B13',
    title: 'a conflict asks to be retried',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          try {
            await sound.put(key, bytes, options);
          } catch (error) {
            throw isStoreError(error, 'BLOB_EXISTS') ? storeError('BLOB_EXISTS', 'taken', { retry: true }) : error;
          }
        },
      }),
  },
  {
    number: 'B14',
    title: 'a backend that says it is read-only deletes',
    breakage: (sound) => {
      const refuse = async () => {
        throw storeError('READ_ONLY', 'read-only');
      };
      return override(sound, { capabilities: { ...sound.capabilities, writable: false }, put: refuse });
    },
  },
  {
    number: 'B15',
    title: 'puts side by side share one field',
    breakage: (sound) => {
      let current: { key: string; bytes: Uint8Array } | undefined;
      return override(sound, {
        put: async (key, bytes, options) => {
          if (!key.startsWith('b15/')) return sound.put(key, bytes, options);
          current = { key, bytes };
          await yieldToEventLoop();
          await sound.put(current.key, current.bytes, options);
        },
      });
    },
  },
  {
    number: 'B16',
    title: 'a value above the limit is taken',
    breakage: (sound, disk) =>
      override(sound, {
        put: (key, bytes, options) =>
          bytes.length > sound.capabilities.blobBytesMax
            ? disk.memory.put(key, bytes, options)
            : sound.put(key, bytes, options),
      }),
  },
  {
    number: 'B16',
    title: 'the largest value is not taken',
    breakage: (sound) =>
      override(sound, {
        put: async (key, bytes, options) => {
          if (bytes.length >= sound.capabilities.blobBytesMax) throw storeError('BLOB_TOO_LARGE', 'too large');
          await sound.put(key, bytes, options);
        },
      }),
  },
];

/** At least one broken backend for every guarantee. */
export const BROKEN_BACKENDS: readonly BrokenBackend[] = [...VALUES, ...LISTINGS, ...CALLS];
