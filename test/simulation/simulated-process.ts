import type { FileHandle, FileSystem } from '../../src/runtime/file-system.ts';
import type { ProcessLife } from '../../src/runtime/process-life.ts';
import { FaultSchedule, type FaultTiming } from '../../src/testing/fault-schedule.ts';
import type { CommitWatch } from './simulated-database.ts';

/** What calls of a process reject with that has ended: nobody in it learns anything any more. */
export class ProcessGone extends Error {
  override readonly name = 'ProcessGone';

  constructor() {
    super('the process is gone');
  }
}

/** A pid that no process has: what this process writes to `.tmp` is that of a dead one for the next. */
const DEAD_PID = 2 ** 22 + 1;
const OWN_TEMPORARY = `/.tmp/${process.pid}.`;
const DEAD_TEMPORARY = `/.tmp/${DEAD_PID}.`;

const gone = new Set<string>();

/** A transaction that fails, before or after its work. */
export interface TransactionFault extends FaultTiming {
  readonly when: 'before' | 'after';
  readonly error: Error;
}

/**
 * A process of a simulated machine. It can be held at any of its calls that change what outlives it, while others try
 * what they would find if it ended there, and it ends where it is told to.
 */
export class SimulatedProcess implements CommitWatch {
  readonly life: ProcessLife;
  /** Told of each call that changes or flushes something, before it is made. All others of the process wait meanwhile. */
  onChange: ((call: string, path: string) => Promise<void>) | undefined;
  /** Calls so far that changed or flushed something. */
  changes = 0;
  /** Transactions of its metadata so far. */
  transactions = 0;
  readonly transactionFaults = new FaultSchedule<TransactionFault>();
  #isGone = false;
  #endsAt = Number.POSITIVE_INFINITY;
  #held: Promise<void> | undefined;
  readonly #ended = Promise.withResolvers<'gone'>();

  /** @param name what stands in the metadata: no two processes that see each other have one */
  constructor(name: string) {
    this.life = { self: name, isGone: (other) => gone.has(other) };
    gone.delete(name);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  end(): void {
    this.#isGone = true;
    gone.add(this.life.self);
    this.#ended.resolve('gone');
  }

  /** Lets it make so many changes more; it ends instead of the next. */
  endAfter(changes: number): void {
    this.#endsAt = this.changes + changes;
  }

  /** Work of the process: what comes of it, or that the process ended first. */
  async outcome(work: Promise<unknown>): Promise<'done' | 'gone'> {
    const done = work.then(
      () => 'done' as const,
      (error: unknown) => {
        if (this.isGone) return 'gone' as const;
        throw error;
      },
    );
    return await Promise.race([done, this.#ended.promise]);
  }

  assertAlive(): void {
    if (this.isGone) throw new ProcessGone();
  }

  /** Before a call that changes nothing. It may be held again by the time the caller goes on. */
  async look(): Promise<void> {
    while (this.#held) await this.#held;
    this.assertAlive();
  }

  /** Makes a call that changes nothing. */
  async looking<T>(work: () => Promise<T>): Promise<T> {
    do await this.look();
    while (this.isHeld);
    return await work();
  }

  /** Before a call that changes or flushes something. */
  async change(call: string, path: string): Promise<void> {
    do await this.look();
    while (this.isHeld);
    if (this.changes >= this.#endsAt) this.end();
    this.assertAlive();
    if (this.onChange) await this.hold(this.onChange(call, path));
    this.assertAlive();
    this.changes += 1;
  }

  /** Nothing of the process goes on until the work of others has ended, to which it is gone. */
  async hold(work: Promise<void>): Promise<void> {
    this.#held = work;
    gone.add(this.life.self);
    try {
      await work;
    } finally {
      this.#held = undefined;
      if (!this.#isGone) gone.delete(this.life.self);
    }
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    this.transactions += 1;
    const fault = this.transactionFaults.due(() => true);
    if (fault?.when === 'before') throw fault.error;
    const result = await work();
    if (fault) throw fault.error;
    return result;
  }

  beforeCommit(): Promise<void> {
    return this.change('commit', '');
  }
}

/** A file system as a process has it. */
export function fileSystemOf(life: SimulatedProcess, inner: FileSystem): FileSystem {
  const there = (path: string): string => path.replace(OWN_TEMPORARY, DEAD_TEMPORARY);
  const look = <T>(work: () => Promise<T>): Promise<T> => life.looking(work);
  const change = async <T>(call: string, path: string, work: () => Promise<T>): Promise<T> => {
    await life.change(call, path);
    return await work();
  };
  const handle = (of: FileHandle, path: string): FileHandle => ({
    read: (...how) => look(() => of.read(...how)),
    write: (...how) => change('write', path, () => of.write(...how)),
    sync: () => change('sync', path, () => of.sync()),
    stat: () => look(() => of.stat()),
    close: () => look(() => of.close()),
  });
  return {
    open: async (path, flags) => {
      const open = () => inner.open(there(path), flags);
      return handle(await (flags === 'wx' ? change('open', there(path), open) : look(open)), there(path));
    },
    rename: (from, to) => change('rename', `${there(from)} ${there(to)}`, () => inner.rename(there(from), there(to))),
    link: (existing, name) =>
      change('link', `${there(existing)} ${there(name)}`, () => inner.link(there(existing), there(name))),
    unlink: (path) => change('unlink', there(path), () => inner.unlink(there(path))),
    rmdir: (path) => change('rmdir', path, () => inner.rmdir(path)),
    mkdir: (path) => change('mkdir', path, () => inner.mkdir(path)),
    readdir: (path) => look(() => inner.readdir(path)),
    stat: (path) => look(() => inner.stat(there(path))),
    checkWritable: (path) => look(() => inner.checkWritable(path)),
    syncDirectory: (path) => change('syncDirectory', path, () => inner.syncDirectory(path)),
    freeBytes: (path) => look(() => inner.freeBytes(path)),
  };
}
