import { match } from 'node:assert/strict';
import type { SeededRandom } from '../../src/testing/index.ts';
import type { RawClient } from '../support/served-store.ts';
import type { Caller, World } from './world.ts';

/** Addresses of this machine that attacks come from: what is counted by address does not end after the first few. */
const ADDRESSES = 200;

/** Somebody with a token for a namespace of their own, who means harm. */
export class Attacker {
  readonly world: World;
  readonly random: SeededRandom;
  /** For requests that are sent as they should be. */
  readonly caller: Caller;
  /** Connections that stay open until the server ends them. */
  readonly held: RawClient[] = [];
  /** Connections that stay open for as long as the server lives, if nobody leaves. */
  readonly parked: RawClient[] = [];
  /** How often each answer came. */
  readonly answers = new Map<string, number>();

  constructor(world: World, random: SeededRandom) {
    this.world = world;
    this.random = random;
    this.caller = world.caller('mallory');
  }

  /** One of these. */
  pick<T>(values: readonly T[]): T {
    return values[this.random.integer(values.length)] as T;
  }

  /** The head of a request up to its own headers: with a token, and the last one of its connection. */
  head(method: string, path: string, headers: Readonly<Record<string, string | number>> = {}): string {
    const said = { Host: 'localhost', Authorization: this.world.bearer('mallory'), Connection: 'close', ...headers };
    const lines = Object.entries(said).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} /namespaces/mallory${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  }

  connect(): Promise<RawClient> {
    return this.world.connect(`127.0.1.${1 + this.random.integer(ADDRESSES)}`);
  }

  /** Says this, and takes what comes until the connection ends: it must be one of these answers. */
  async say(kind: string, text: string, status: RegExp): Promise<void> {
    const client = await this.connect();
    client.send(text);
    this.judge(kind, await client.closed(), status);
  }

  /** Says this, and leaves the rest to the server. */
  async hold(text: string): Promise<RawClient> {
    const client = await this.connect();
    client.send(text);
    this.held.push(client);
    return client;
  }

  /** Makes the server look at what is unfinished: it does so with every creation. */
  async touchUploads(): Promise<void> {
    const headers = { 'tus-resumable': '1.0.0' };
    const { namespace } = this.caller;
    const made = await this.caller.ask('POST', `${namespace}/uploads`, {
      headers: { ...headers, 'upload-length': '1' },
    });
    await this.caller.ask('DELETE', String(made.headers.location), { headers });
  }

  /** Says this and goes away. */
  async sayAndLeave(text: string): Promise<void> {
    const client = await this.connect();
    client.send(text);
    // Some of it at least is on its way then.
    await new Promise(setImmediate);
    client.leave();
  }

  /** That what came of a connection (`none` when nothing did) is an answer as it may be; a server that is busy may always say so. */
  judge(kind: string, text: string, status: RegExp): void {
    const [, found = 'none'] = /^HTTP\/1\.1 (\d+)/.exec(text.replace('HTTP/1.1 100 Continue\r\n\r\n', '')) ?? [];
    match(found, new RegExp(`^(?:429|${status.source})$`), `${kind} was answered with ${text.slice(0, 300)}`);
    // Of content nothing is to be said.
    if (!found.startsWith('2')) this.world.examine(text);
    const name = `${kind} ${found}`;
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
  }
}
