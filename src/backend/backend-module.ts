/** Backends that are not Holdfast's: a module opens those whose URL has its scheme. */
import { argumentRangeError, argumentTypeError } from '../errors/argument-error.ts';
import { isStoreError, storeError } from '../errors/store-error.ts';
import type { Backend } from './contract.ts';

/** How to open the backend of a module. */
export interface ModuleOpenOptions {
  /** Nothing whatever is to be written, and the backend says that it is not `writable`. */
  readonly readOnly: boolean;
  /** Make the place when it is absent; without it, an absent place is an error. */
  readonly create: boolean;
}

/** What a module gives that holds backends of others. */
export interface BackendModule {
  /**
   * Opens the backend of a URL, an open one for every call: several processes, and one process twice, may ask for the same.
   * What it throws is a `StoreError`, as `storeError` of `holdfast/backend` makes them; everything else is told as
   * `unavailable/BACKEND_IO`.
   * @param url as the store keeps it, without credentials
   */
  openBackend(url: string, options: ModuleOpenOptions): Promise<Backend>;
}

/** Modules by the scheme of their URLs, without the colon. */
export type BackendModules = Readonly<Record<string, BackendModule>>;

/** At least two letters: one is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+$/;
/** What means something else, here or in the URL of metadata. */
const TAKEN: ReadonlySet<string> = new Set(['file', 's3', 'memory', 'postgres', 'postgresql']);
const METHODS = ['put', 'get', 'head', 'delete', 'list', 'space', 'close'] as const;

/** @throws TypeError, RangeError for what is no scheme, or one that is taken */
export function checkBackendModules(modules: BackendModules): BackendModules {
  if (typeof modules !== 'object' || modules === null)
    throw argumentTypeError('backendModules', 'an object of modules by scheme', modules);
  for (const [scheme, module] of Object.entries(modules)) {
    if (!SCHEME.test(scheme) || TAKEN.has(scheme))
      throw argumentRangeError('backendModules', 'schemes of lower-case letters that mean nothing else', scheme);
    if (typeof module?.openBackend !== 'function')
      throw argumentTypeError(`backendModules.${scheme}`, 'a module with openBackend', module);
  }
  return modules;
}

/** The module that opens a URL, if one was named. */
export function moduleOf(url: string, modules: BackendModules): BackendModule | undefined {
  const scheme = schemeOf(url);
  return Object.hasOwn(modules, scheme) ? modules[scheme] : undefined;
}

function schemeOf(url: string): string {
  return url.slice(0, Math.max(0, url.indexOf(':')));
}

/**
 * Opens a backend by the module of its scheme. No code is ever loaded for a URL: the caller has named the modules.
 * @throws `unsupported/BACKEND_UNSUPPORTED` for a scheme without a module; `invalid/BACKEND_INVALID` where a module gives no
 *   backend; what the module throws
 */
export async function openModuleBackend(
  url: string,
  modules: BackendModules,
  options: ModuleOpenOptions,
): Promise<Backend> {
  const [scheme, module] = [schemeOf(url), moduleOf(url, modules)];
  const details = { path: url };
  if (module === undefined) {
    const message =
      `nobody has said what opens ${scheme}: URLs: give a folder, a file or s3://bucket, or name the module in the option ` +
      '`backendModules`, of the command line in HOLDFAST_BACKENDS';
    throw storeError('BACKEND_UNSUPPORTED', message, { details });
  }
  const backend = await opened(module, url, options);
  const isBackend = typeof backend?.capabilities === 'object' && METHODS.every((name) => name in backend);
  if (isBackend) return backend;
  throw storeError('BACKEND_INVALID', `the module of ${scheme}: gave something that is no backend`, { details });
}

async function opened(module: BackendModule, url: string, options: ModuleOpenOptions): Promise<Backend> {
  try {
    return await module.openBackend(url, options);
  } catch (cause) {
    if (isStoreError(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the module that opens ${url} failed: ${why}`;
    throw storeError('BACKEND_IO', message, { details: { path: url }, cause, retry: false });
  }
}
