import { argumentTypeError, checkInteger } from '../errors/argument-error.ts';
import { invariant } from '../errors/store-error.ts';
import type { Change } from '../metadata/contract.ts';
import { encodePrefix, parseVersion } from './arguments.ts';
import { entryNotFound, readAll, readPieces } from './entry-content.ts';
import { currentAt, keyText, type OpenedEntry, toEntryInfo } from './entry-info.ts';
import {
  type FoundVersion,
  findVersion,
  openVersion,
  toVersionInfo,
  type VersionPlace,
  versionsOf,
} from './find-version.ts';
import { forgetAllVersions, forgetVersions } from './forget-versions.ts';
import type { Scope } from './scope.ts';
import type { ScopedCalls } from './scoped-calls.ts';
import type { CallOptions, EntryInfo, ReadOptions } from './types.ts';
import { checkForgetting, checkKeepVersions, checkRules, checkWhich } from './version-arguments.ts';
import type {
  KeepVersions,
  RestoreOptions,
  VersionForgetAllOptions,
  VersionForgetAllReport,
  VersionForgetOptions,
  VersionForgetReport,
  VersionForgetRules,
  VersionInfo,
  VersionListOptions,
  VersionPolicyInfo,
  Versions,
  WhichVersion,
} from './version-types.ts';

const STORE = 0;

/** Versions of the entries of one namespace. */
export class VersionStore implements Versions {
  readonly #calls: ScopedCalls;

  constructor(calls: ScopedCalls) {
    this.#calls = calls;
  }

  policy(options: CallOptions = {}): Promise<VersionPolicyInfo> {
    return this.#calls.call(options, async ({ namespace }) => {
      const { metadata } = this.#calls.engine;
      const own = await metadata.getPolicy(namespace);
      const inherited = own === undefined && namespace !== STORE;
      const policy = inherited ? await metadata.getPolicy(STORE) : own;
      const keep = policy === undefined || policy.last === 0 ? 'none' : Object.freeze(policy);
      return Object.freeze({ keep, inherited });
    });
  }

  setPolicy(policy: KeepVersions | 'inherit', options: CallOptions = {}): Promise<void> {
    return this.#calls.call(options, async (scope) => {
      const { namespace } = scope;
      const keep = policy === 'inherit' ? undefined : checkKeepVersions(policy, 'policy');
      // A namespace that keeps none says so, or else the policy of the store would hold.
      const none = { last: 0 };
      await this.#calls.commitOne(scope, { type: 'policy-set', namespace, policy: keep === 'none' ? none : keep });
    });
  }

  list(key: string, options: VersionListOptions = {}): AsyncIterable<VersionInfo> {
    return this.#calls.stream(options, (scope) => this.#list(scope, key, options));
  }

  stat(key: string, which: WhichVersion, options: CallOptions = {}): Promise<VersionInfo> {
    return this.#calls.call(options, async (scope) => {
      const { entry, found } = await this.#open(scope, key, which);
      return toVersionInfo(entry, found);
    });
  }

  get(key: string, which: WhichVersion, options: CallOptions = {}): Promise<Uint8Array> {
    return this.#calls.call(options, async (scope) => {
      const { entry } = await this.#open(scope, key, which);
      return await readAll(this.#calls.engine, entry, options.signal);
    });
  }

  read(key: string, which: WhichVersion, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return this.#calls.stream(options, (scope) => this.#read(scope, { key, which }, options));
  }

  restore(key: string, which: WhichVersion, options: RestoreOptions = {}): Promise<EntryInfo> {
    return this.#calls.call(options, async (scope) => {
      const { engine } = this.#calls;
      engine.assertWritable();
      const version = options.ifMatch === undefined ? undefined : parseVersion(options.ifMatch, 'ifMatch');
      const keep =
        options.keepVersions === undefined ? undefined : checkKeepVersions(options.keepVersions, 'keepVersions');
      const { entry, found } = await this.#open(scope, key, which);
      // Of what is current nothing is put: an isolated entry has one place only.
      if (!found.step) return currentAt(entry, version);
      const { row } = await this.#calls.commitOne(scope, {
        type: 'put',
        key: found.row.key,
        entry: found.row.entry,
        modified: engine.clock.now(),
        ...(version && { condition: { version } }),
        ...(keep && { keep }),
      } satisfies Change);
      invariant(row, 'an entry that was put is there afterwards');
      return toEntryInfo(await engine.scopes.openEntry(row, scope));
    });
  }

  forget(
    key: string,
    which: VersionForgetRules | { readonly numbers: readonly number[] },
    options: VersionForgetOptions = {},
  ): Promise<VersionForgetReport> {
    return this.#calls.call(options, async (scope) => {
      const request = { key: scope.key(key), which: checkForgetting(which), dryRun: options.dryRun === true };
      if (!request.dryRun) this.#calls.engine.assertWritable();
      return await forgetVersions(this.#calls, scope, request);
    });
  }

  forgetAll(options: VersionForgetAllOptions): Promise<VersionForgetAllReport> {
    return this.#calls.call(options ?? {}, async (scope) => {
      if (typeof options !== 'object' || options === null) throw argumentTypeError('options', 'rules', options);
      const which = checkRules(options);
      if (options.prefix !== undefined) encodePrefix(options.prefix);
      if (!options.dryRun) this.#calls.engine.assertWritable();
      return await forgetAllVersions(this.#calls, scope, { ...options, which });
    });
  }

  #place(scope: Scope, key: string): VersionPlace {
    return { engine: this.#calls.engine, scope, key: scope.key(key) };
  }

  async #open(
    scope: Scope,
    key: string,
    which: WhichVersion,
  ): Promise<{ readonly entry: OpenedEntry; readonly found: FoundVersion }> {
    const place = this.#place(scope, key);
    const found = await findVersion(place, checkWhich(which));
    const entry = await openVersion(place, found);
    if (!entry) throw entryNotFound(keyText(place));
    return { entry, found };
  }

  async *#list(scope: Scope, key: string, options: VersionListOptions): AsyncGenerator<VersionInfo> {
    const place = this.#place(scope, key);
    let left =
      options.limit === undefined ? Number.POSITIVE_INFINITY : checkInteger('limit', options.limit, { min: 0 });
    if (left === 0) return;
    for await (const found of versionsOf(place)) {
      const entry = await openVersion(place, found);
      if (!entry) continue;
      yield toVersionInfo(entry, found);
      left -= 1;
      if (left === 0) return;
    }
  }

  async *#read(
    scope: Scope,
    { key, which }: { readonly key: string; readonly which: WhichVersion },
    options: ReadOptions,
  ): AsyncGenerator<Uint8Array> {
    const { entry } = await this.#open(scope, key, which);
    yield* readPieces(this.#calls.engine, entry, options);
  }
}
