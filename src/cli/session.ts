import { homedir } from 'node:os';
import path from 'node:path';
import type { Entries, Logger, OpenOptions, Store, StoreLocation } from '../index.ts';
import { SQLITE_THREAD } from '../metadata/sqlite-thread.ts';
import { warmThread } from '../runtime/warm-threads.ts';
import { backendModules } from './backend-modules.ts';
import { describeFailure, type Failure } from './failure.ts';
import { STATE_HINT } from './hints.ts';
import { loadLibrary } from './library.ts';
import type { SecretOptions } from './secrets/declared-secret.ts';
import { openWithKeys } from './secrets/opening.ts';
import { stateFolder } from './state-folder.ts';
import { findStore, type LocationHints, locationAt, requireStore } from './store-location.ts';
import { OutputClosed, type Terminal } from './terminal.ts';
import { escapeControls } from './text/format-text.ts';
import { usageError } from './usage-error.ts';

/** Enough to tell what was told before; a store full of damage must not fill the memory. */
const MESSAGES_KEPT_MAX = 1000;

/** The options every command takes. */
export interface GlobalOptions extends SecretOptions {
  readonly store?: string;
  /** URL of the database that has its metadata. */
  readonly database?: string;
  /** Whose entries the command is about; default: those outside of every namespace. */
  readonly namespace?: string;
  /** Open a store that is older than it was seen before. */
  readonly acceptRollback?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** False with --no-progress. */
  readonly progress: boolean;
}

/** One run of the command line: what was asked for, where output goes, and how it will end. */
export class Session {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  #options: GlobalOptions = { progress: true };
  #exitStatus = 0;
  #stdinUse: string | undefined;

  constructor(terminal: Terminal, signal: AbortSignal) {
    this.terminal = terminal;
    this.signal = signal;
  }

  get options(): GlobalOptions {
    return this.#options;
  }

  /** Status of the first failure reported, 0 without any. */
  get exitStatus(): number {
    return this.#exitStatus;
  }

  get showsProgress(): boolean {
    const { progress, quiet, json } = this.#options;
    // A line that is drawn again and again needs a terminal that can go back in it.
    return progress && !quiet && !json && this.terminal.notesAreTerminal && process.env.TERM !== 'dumb';
  }

  /** Takes over the options once they are parsed. */
  configure(options: GlobalOptions): void {
    this.#options = options;
  }

  /** Prints a result: one JSON object a line with --json, else the text. */
  async result(value: object, text: () => string): Promise<void> {
    await this.terminal.print(this.#options.json ? JSON.stringify(value) : text());
  }

  /**
   * Like `result`, but what it says is no more than a confirmation: nothing with --quiet, and when nobody reads it any
   * more (`holdfast put . | head`) the work goes on.
   */
  async confirm(value: object, text: () => string): Promise<void> {
    if (this.#options.quiet) return;
    try {
      await this.result(value, text);
    } catch (error) {
      if (!(error instanceof OutputClosed)) throw error;
    }
  }

  /** Prints a sentence that sums up for people what was confirmed line by line; a program counts the lines. */
  async conclude(sentence: string): Promise<void> {
    if (!this.#options.json) await this.confirm({}, () => sentence);
  }

  /** A key or path for people to read; only a terminal needs it made harmless, a pipe gets it as it is. */
  shown(text: string): string {
    return this.terminal.outputIsTerminal ? escapeControls(text) : text;
  }

  /** Prints an error and goes on; the first one decides how the run ends. */
  report(error: unknown): Failure {
    const failure = describeFailure(error);
    if (this.#exitStatus === 0) this.#exitStatus = failure.exitStatus;
    const { kind, code, message, details } = failure;
    if (this.#options.json) {
      this.terminal.note(JSON.stringify({ error: { kind, code, message, details } }));
    } else {
      this.terminal.note(`holdfast: ${escapeControls(message)}`);
      if (this.#options.verbose && error instanceof Error) this.terminal.note(error.stack ?? '');
    }
    return failure;
  }

  /** Prints an error that ends the run, with what to do next. */
  fail(error: unknown): void {
    const { details, hint: usual } = this.report(error);
    const hint = this.isOfState(details) ? STATE_HINT : usual;
    if (hint !== undefined && !this.#options.json) this.terminal.note(`hint: ${hint}`);
  }

  /** Ends the run with a status other than 0 although no error was thrown; earlier failures win. */
  endWith(exitStatus: number): void {
    if (this.#exitStatus === 0) this.#exitStatus = exitStatus;
  }

  /** Where the bytes of the store are. @throws `not-found/STORE_NOT_FOUND` when no store is named or found */
  async storePath(): Promise<string> {
    return requireStore(this.#locationHints());
  }

  async findStorePath(): Promise<string | undefined> {
    return findStore(this.#locationHints());
  }

  /** What the library opens. @throws as `storePath` */
  async storeLocation(): Promise<StoreLocation> {
    return this.locationOf(await this.storePath());
  }

  /** The location of the store whose bytes are at a path. @throws a usage error for a password that everybody sees */
  locationOf(path: string): StoreLocation {
    return locationAt(path, { option: this.#options.database, variable: 'HOLDFAST_DATABASE' });
  }

  /** Which namespace is meant, or `undefined` for the default one. */
  get namespace(): string | undefined {
    return this.#options.namespace ?? (process.env.HOLDFAST_NAMESPACE || undefined);
  }

  /** Opens the store of this run, asking for what opens it where nothing says so. The caller closes it. */
  async openStore(options: Pick<OpenOptions, 'readOnly' | 'heal' | 'gc' | 'logger'> = {}): Promise<Store> {
    const location = await this.storeLocation();
    // Its modules are loaded beside those of the library.
    if (typeof location === 'string') warmThread(SQLITE_THREAD);
    const { openStore } = await loadLibrary();
    return openWithKeys(this, (keys) => openStore(location, { ...this.openOptions(), ...options, ...keys }));
  }

  /** The entries that the command is about. */
  entriesOf(store: Store): Entries {
    return this.namespace === undefined ? store : store.namespace(this.namespace);
  }

  /** Where this user remembers how far each sealed store was. */
  get rollbackGuard(): string {
    return stateFolder({ environment: process.env, platform: process.platform, home: homedir() });
  }

  /** Whether an error with these details is about what this user remembers, and not about a store. */
  isOfState(details: { readonly path?: unknown }): boolean {
    const { rollbackGuard } = this;
    const { path: about } = details;
    return typeof about === 'string' && (about === rollbackGuard || path.dirname(about) === rollbackGuard);
  }

  /** What every opening of a store is told, beside what opens it. */
  openOptions(): Pick<OpenOptions, 'signal' | 'logger' | 'rollbackGuard' | 'acceptRollback' | 'backendModules'> {
    const { rollbackGuard } = this;
    const acceptRollback = this.#options.acceptRollback === true;
    return { ...this.reachOptions(), logger: this.logger(), rollbackGuard, acceptRollback };
  }

  /** What everything is told that reaches for the backends of a store. */
  reachOptions(): Pick<OpenOptions, 'signal' | 'backendModules'> {
    const modules = backendModules(process.env);
    return { signal: this.signal, ...(modules && { backendModules: modules }) };
  }

  /** Says that this run reads standard input for something. @throws a usage error when it does so already */
  claimStdin(use: string): void {
    if (this.#stdinUse !== undefined) {
      throw usageError(`standard input brings ${this.#stdinUse}; it cannot bring ${use} as well`);
    }
    this.#stdinUse = use;
  }

  /**
   * Warnings and errors of the engine become notes, each of them once; the rest of what it says, and the details, only
   * with -v.
   */
  logger(): Logger {
    const { json, quiet, verbose } = this.#options;
    const told = new Set<string>();
    const note = (message: string, details?: object): void => {
      // Damage is found again by every read that meets it.
      if (told.has(message) && !verbose) return;
      if (told.size < MESSAGES_KEPT_MAX) told.add(message);
      const text = details === undefined || !verbose ? message : `${message} ${JSON.stringify(details)}`;
      this.terminal.note(json ? JSON.stringify({ log: { message, details } }) : `holdfast: ${escapeControls(text)}`);
    };
    const whenVerbose = verbose ? note : () => undefined;
    return { debug: whenVerbose, info: whenVerbose, warn: quiet ? () => undefined : note, error: note };
  }

  #locationHints(): LocationHints {
    return {
      option: this.#options.store,
      environment: process.env.HOLDFAST_STORE,
      workingFolder: process.cwd(),
    };
  }
}
