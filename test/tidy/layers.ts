/** Which folder may import which: the architecture as data. `docs/architecture.md` says why it is this shape. */

export interface Area {
  /** Arrows point from higher to lower levels; exceptions are `SAME_LEVEL_EDGES`. */
  readonly level: number;
  /** Folders (or files directly under src, without ending) it may import. */
  readonly imports: readonly string[];
  /** Folders (or single files, by path) it may import types from. */
  readonly types?: readonly string[];
  /** Single files it may import. */
  readonly files?: readonly string[];
}

const L0 = ['bytes', 'runtime', 'errors', 'limits'];
const L1 = ['hash', 'merkle', 'chunking', 'compress', 'crypto', 'erasure'];
const L2 = ['format', 'backend', 'metadata'];
const L3 = ['pipeline', 'placement', 'keys', 'shards', 'single-file', 'objects', 'history', 'archive', 'folders'];

export const AREAS: Readonly<Record<string, Area>> = {
  errors: { level: 0, imports: [] },
  limits: { level: 0, imports: [] },
  bytes: { level: 0, imports: ['errors', 'limits'] },
  runtime: { level: 0, imports: ['errors', 'limits'] },
  hash: { level: 1, imports: L0 },
  chunking: { level: 1, imports: L0 },
  compress: { level: 1, imports: L0 },
  erasure: { level: 1, imports: L0 },
  merkle: { level: 1, imports: [...L0, 'hash'] },
  crypto: { level: 1, imports: [...L0, 'hash'] },
  format: { level: 2, imports: [...L0, 'hash', 'crypto'], types: L1 },
  // Never hash, format or crypto: a backend sees keys and opaque bytes.
  backend: { level: 2, imports: L0 },
  metadata: { level: 2, imports: [...L0, 'hash', 'crypto', 'format'] },
  // A location is data that the metadata makes and the pipeline reads: its type, never the engine behind it.
  pipeline: { level: 3, imports: [...L0, ...L1, 'format'], types: ['src/metadata/contract.ts'] },
  placement: { level: 3, imports: [...L0, 'hash', 'erasure', 'format', 'backend'] },
  // Keys are bytes and text: whoever stores the config and the files of secrets is above.
  keys: { level: 3, imports: [...L0, 'hash', 'crypto', 'format'] },
  // A brick of bricks, for those who want redundancy and no store: never format, which is how stores write.
  shards: { level: 3, imports: [...L0, 'hash', 'merkle', 'erasure', 'backend'] },
  // Blobs and metadata in one database: what holds opaque bytes, over the engine that the metadata has.
  'single-file': { level: 3, imports: [...L0, 'hash', 'backend', 'metadata'] },
  // Values and graphs of values: whoever stores them hands in how they are loaded and put.
  objects: { level: 3, imports: [...L0, 'hash'] },
  // Names, addresses and rules of time are text and numbers: what they stand for is looked up above.
  history: { level: 3, imports: L0 },
  // Archives are streams of bytes: nothing of stores, nor of the folders of a file system.
  archive: { level: 3, imports: [...L0, 'compress'] },
  // Folders of the user's: it knows files, and nothing of stores, hashes or objects.
  folders: { level: 3, imports: L0 },
  maintenance: { level: 4, imports: [...L0, ...L1, ...L2, ...L3] },
  store: { level: 4, imports: [...L0, ...L1, ...L2, ...L3, 'maintenance'] },
  testing: { level: 5, imports: [...L0, ...L1, ...L2] },
  // Layouts of other systems, over the public interface: it sees the types of the store, and could live in a package.
  exchange: { level: 5, imports: [...L0, 'hash'], types: ['objects', 'src/store/types.ts'] },
  index: { level: 5, imports: [...L0, ...L1, ...L2, ...L3, 'maintenance', 'store', 'exchange'] },
  // A client of the public interface, like any application: what it lacks there is mended there.
  server: {
    level: 6,
    imports: ['index', 'errors', 'limits', 'hash'],
    files: [
      'src/runtime/file-system.ts',
      'src/runtime/clock.ts',
      'src/runtime/process-life.ts',
      'src/runtime/process-use.ts',
      'src/runtime/random.ts',
      'src/runtime/timers.ts',
    ],
  },
  // Measures through the public interface alone, sub-exports included; it could live in a package of its own.
  bench: { level: 6, imports: ['errors', 'limits', 'runtime', ...L1, 'backend', 'index'] },
  // Goes into browsers: shapes of the library, and nothing of it that runs but its errors.
  client: { level: 6, imports: ['errors'], types: ['index'] },
  // Runs in browsers and asks a server: the requests of the client, and types. It lies beside src, in a folder of its own.
  dashboard: { level: 7, imports: ['client', 'errors'], types: ['index', 'server'] },
  cli: {
    level: 7,
    imports: ['index', 'bench', 'errors', 'server'],
    files: [
      'src/runtime/buffer-pool.ts',
      'src/runtime/clock.ts',
      'src/runtime/timers.ts',
      'src/runtime/map-in-order.ts',
      'src/runtime/small-file-reader.ts',
      // To have the thread of the metadata started while the library is loaded.
      'src/runtime/warm-threads.ts',
      'src/metadata/sqlite-thread.ts',
    ],
  },
};

/** The only imports between folders of one level. */
export const SAME_LEVEL_EDGES: readonly string[] = [
  'bytes -> errors',
  'bytes -> limits',
  'runtime -> errors',
  'runtime -> limits',
  'merkle -> hash',
  'crypto -> hash',
  'metadata -> format',
  'store -> maintenance',
  'index -> exchange',
];

/**
 * Which folders may use a package or built-in module that has one home. A dependency that is not listed here may not be
 * used by product code at all; built-ins that are not listed are free.
 */
export const MODULE_HOMES: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['backend'],
  '@fastify/busboy': ['server'],
  '@hono/node-server': ['server'],
  '@hono/zod-openapi': ['server'],
  '@napi-rs/blake-hash': ['hash'],
  '@tus/server': ['server'],
  canonicalize: ['objects'],
  pg: ['metadata'],
  cborg: ['format'],
  'client-zip': ['server'],
  commander: ['cli'],
  'jsonc-parser': ['objects'],
  'modern-tar': ['archive'],
  hono: [],
  ignore: ['folders'],
  'shamir-secret-sharing': ['crypto'],
  zod: ['merkle', 'format', 'keys', 'shards', 'server', 'cli'],
  'node:sqlite': ['metadata', 'single-file'],
  'node:zlib': ['compress'],
  'node:perf_hooks': ['runtime'],
  'node:timers': ['runtime'],
  'node:timers/promises': ['runtime'],
};
