import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Task, Told } from './tasks.ts';

/** What a task came to. */
export interface Cost {
  readonly seconds: number;
  /** User and system seconds of this process meanwhile, which is that of the server. */
  readonly cpuSeconds: number;
}

/** @returns seconds that `work` took, by the clock and of the processors, this process alone */
export async function costOf(work: () => Promise<number>): Promise<Cost> {
  const before = process.cpuUsage();
  const seconds = await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

/** A process that talks to the server. */
export class Client {
  readonly #child: ChildProcess;

  constructor(url: string) {
    this.#child = fork(path.join(import.meta.dirname, 'client-worker.ts'), [new URL(url).port]);
  }

  /** @throws what went wrong there */
  async run(task: Task): Promise<number> {
    this.#child.send(task);
    const [told] = (await once(this.#child, 'message')) as [Told];
    if ('error' in told) throw new Error(told.error);
    return told.seconds;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
