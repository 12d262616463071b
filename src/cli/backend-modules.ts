import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BackendModule } from '../index.ts';
import { usageError } from './usage-error.ts';

const NAMED = /^([^=]+)=(.+)$/s;

/**
 * The modules that `HOLDFAST_BACKENDS` names: `scheme=module` with commas between, a module by its path or `file:` URL. One is
 * loaded when a backend of its scheme is opened, and not before.
 * @returns `undefined` where it names none
 * @throws a usage error for what is not written like that
 */
export function backendModules(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, BackendModule>> | undefined {
  const named = environment.HOLDFAST_BACKENDS;
  if (!named) return undefined;
  const modules = named.split(',').map((text) => {
    const [, scheme = '', module = ''] = NAMED.exec(text.trim()) ?? [];
    if (scheme === '') throw usageError(`HOLDFAST_BACKENDS is SCHEME=MODULE, with commas between; ${text} is not`);
    const url = module.startsWith('file:') ? module : pathToFileURL(path.resolve(module)).href;
    const openBackend: BackendModule['openBackend'] = async (...asked) => (await load(url)).openBackend(...asked);
    return [scheme, { openBackend }] as const;
  });
  return Object.fromEntries(modules);
}

async function load(url: string): Promise<BackendModule> {
  const module = (await import(url)) as Partial<BackendModule>;
  if (typeof module.openBackend !== 'function') throw new Error(`${url} exports no function openBackend`);
  return module as BackendModule;
}
