/** A server over a sealed store with a tenant of good faith and a hostile one, in a process that is watched from outside. */
import { deepStrictEqual, ok } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import path from 'node:path';
import { createStore, openStore, type Store } from '../../src/index.ts';
import { TokenFile } from '../../src/server/index.ts';
import { makeTemporaryFolder, type TemporaryFolder } from '../../src/testing/index.ts';
import { noise } from '../support/contents.ts';
import { STORE_KEY } from '../support/sealed-store.ts';
import { RawClient } from '../support/served-store.ts';
import type { ServingOrders } from '../support/serving-process.ts';

/** Namespaces, and the tokens for each; `operator` may do everything. */
export type Who = 'friend' | 'mallory' | 'operator';

export interface Said {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What the process takes, and how late its event loop has been so far. */
export interface Load {
  readonly residentBytes: number;
  readonly peakBytes: number;
  readonly descriptors: number;
  /** How often it was looked at, and how often it was less late than so many seconds. */
  readonly looks: number;
  readonly looksUpTo: ReadonlyMap<number, number>;
}

const MIB = 1024 ** 2;
/** What the hostile tenant may read for ever, and what it may never store more than. */
const LARGE_BYTES = 24 * MIB;
const QUOTA_BYTES = 96 * MIB;
/** Long before those of a real server: slow clients are cut off in the round that they began in. */
const LIMITS = { progressMs: 3000, progressBytesMin: 32_768 };
const HEADER_MS = 3000;
/** Longer than an upload is kept that nobody goes on with. */
const LATER_S = 2 * 24 * 3600;

const script = path.join(import.meta.dirname, '..', 'support', 'serving-process.ts');

export class World {
  readonly port: number;
  readonly #folder: TemporaryFolder;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  readonly #tokens: Readonly<Record<Who, string>>;
  /** What no answer may ever say. */
  readonly #secrets: readonly string[];
  #told = '';

  private constructor(
    folder: TemporaryFolder,
    child: ChildProcess,
    what: { url: string; tokens: Record<Who, string> },
  ) {
    this.#folder = folder;
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.port = Number(new URL(what.url).port);
    this.#tokens = what.tokens;
    const keys = (['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(STORE_KEY).toString(form));
    this.#secrets = [
      ...Object.values(what.tokens),
      ...keys,
      folder.path,
      import.meta.dirname,
      'node_modules',
      '\n    at ',
    ];
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#told += text;
    });
  }

  static async open(): Promise<World> {
    const folder = await makeTemporaryFolder();
    const place = (name: string): string => path.join(folder.path, name);
    const store = await createStore(place('store'), { keys: { key: STORE_KEY }, reserveBytes: 0 });
    await store.namespaces.create('friend');
    await store.namespaces.create('mallory', { quotaBytes: QUOTA_BYTES });
    const theirs = store.namespace('mallory');
    await theirs.put('large', noise(LARGE_BYTES, 1));
    await theirs.put('small', 'value');
    await theirs.snapshots.create({ prefix: '' }, { ref: 'all' });
    await store.close();
    const file = new TokenFile(place('tokens.json'));
    const add = async (name: Who, options: Parameters<TokenFile['add']>[1]) => (await file.add(name, options)).token;
    const tokens = {
      friend: await add('friend', { verbs: ['read', 'write'], namespaces: ['friend'] }),
      mallory: await add('mallory', { verbs: ['read', 'write'], namespaces: ['mallory'] }),
      operator: await add('operator', { verbs: ['admin'] }),
    };
    const uploads = { folder: place('uploads') };
    const orders: ServingOrders = {
      ...{ store: place('store'), tokens: place('tokens.json'), uploads, limits: LIMITS, headerMs: HEADER_MS },
    };
    const args = ['--disable-warning=ExperimentalWarning', script, JSON.stringify(orders)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [url] = await once(child.stdout.setEncoding('utf8'), 'data');
    return new World(folder, child, { url, tokens });
  }

  bearer(who: Who): string {
    return `Bearer ${this.#tokens[who]}`;
  }

  /** Connections of one client, from an address of its own. */
  caller(who: Who, from = '127.0.0.1'): Caller {
    return new Caller(this, who, from);
  }

  /** A connection on which anything may be said. */
  connect(from: string): Promise<RawClient> {
    return RawClient.connect(this.port, from);
  }

  /** That nothing was told that is not for clients. */
  examine(text: string): void {
    const found = this.#secrets.find((secret) => text.includes(secret));
    ok(found === undefined, `an answer says ${JSON.stringify(found)}: ${text.slice(0, 1000)}`);
  }

  async load(): Promise<Load> {
    const { body } = await this.caller('operator').ask('GET', '/metrics');
    const lines = new Map(
      body
        .toString()
        .split('\n')
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))] as const),
    );
    const delay = 'holdfast_event_loop_delay_seconds';
    const looksUpTo = [...lines].flatMap(([name, count]) => {
      const [, bound] = new RegExp(`^${delay}_bucket\\{le="([\\d.]+)"\\}$`).exec(name) ?? [];
      return bound === undefined ? [] : [[Number(bound), count] as const];
    });
    return {
      residentBytes: lines.get('process_resident_memory_bytes') ?? 0,
      peakBytes: await this.#peakBytes(),
      descriptors: await this.descriptors(),
      looks: lines.get(`${delay}_count`) ?? 0,
      looksUpTo: new Map(looksUpTo),
    };
  }

  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.#child.pid}/fd`)).length;
  }

  async #peakBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** What lies in the folder of uploads. */
  async spooled(): Promise<readonly string[]> {
    const folder = path.join(this.#folder.path, 'uploads');
    return (await readdir(folder)).map((name) => path.join(folder, name));
  }

  /** Lets every upload be older than it may be. */
  async ageUploads(): Promise<void> {
    const then = Date.now() / 1000 - LATER_S;
    for (const file of await this.spooled()) await utimes(file, then, then);
  }

  /** Stops the server, which has nothing to tell of, and opens its store. */
  async stop(): Promise<Store> {
    this.#child.kill('SIGTERM');
    const [status] = await this.#exited;
    deepStrictEqual([status, this.#told], [0, '']);
    return await openStore(path.join(this.#folder.path, 'store'), { keys: { key: STORE_KEY }, gc: 'manual' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
    await this.#folder.remove();
  }
}

/** A client with a token; each request has a connection of its own, which ends with it. */
export class Caller {
  readonly #world: World;
  readonly #agent: Agent;
  readonly #authorization: string;
  readonly namespace: string;

  constructor(world: World, who: Who, from: string) {
    this.#world = world;
    this.#agent = new Agent({ keepAlive: false, localAddress: from });
    this.#authorization = world.bearer(who);
    this.namespace = `/namespaces/${who}`;
  }

  /** Sends a request and takes all of its answer, which must not tell what is not for clients. */
  async ask(method: string, where: string, { headers = {}, body }: Said = {}): Promise<Answered> {
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    const length = body === undefined ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
    const said = { authorization: this.#authorization, ...length, ...headers };
    const options = {
      agent: this.#agent,
      port: this.#world.port,
      host: '127.0.0.1',
      method,
      path: where,
      headers: said,
    };
    const sending = request(options, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => void parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const { statusCode: status = 0, headers: heard } = incoming;
        resolve({ status, headers: heard, body: Buffer.concat(parts) });
      });
    });
    sending.on('error', reject);
    sending.end(body);
    const answer = await promise;
    if (answer.status >= 400) this.#world.examine(answer.body.toString());
    return answer;
  }
}
