/** A client of good faith, who knows what every answer must be. */
import { deepStrictEqual, ok } from 'node:assert/strict';
import { sleep } from '../../src/runtime/timers.ts';
import type { SeededRandom } from '../../src/testing/index.ts';
import { sameBytes } from '../support/contents.ts';
import type { Answered, Caller, Said, World } from './world.ts';

/** Mostly small ones, some of several chunks. */
const SIZES = [0, 1, 1000, 65_536, 65_537, 400_000, 3_000_000];
const KEYS = 12;
const WRITERS = 4;
const TUS = { 'tus-resumable': '1.0.0' };

export class Friend {
  readonly #caller: Caller;
  readonly #random: SeededRandom;
  readonly #lane: number;
  readonly #held = new Map<string, Uint8Array>();
  /** Requests that were answered rightly, and how often it was told to come again later. */
  readonly figures = { requests: 0, retries: 0 };

  constructor(world: World, random: SeededRandom, lane: number) {
    this.#caller = world.caller('friend');
    this.#random = random;
    this.#lane = lane;
  }

  async step(): Promise<void> {
    const steps = [
      this.#put,
      this.#put,
      this.#read,
      this.#read,
      this.#read,
      this.#list,
      this.#upload,
      this.#delete,
      this.#batch,
      this.#race,
    ];
    await (steps[this.#random.integer(steps.length)] as () => Promise<void>).call(this);
  }

  /** That everything is there as it was put, and nothing else. */
  async verify(): Promise<void> {
    for (const key of this.#held.keys()) await this.#readKey(key);
    await this.#list();
  }

  /** Asks, and comes again when it is told to, after as long as it is told. */
  async #ask(method: string, path: string, { status, ...said }: Said & { readonly status: number }): Promise<Answered> {
    for (;;) {
      const answer = await this.#caller.ask(method, `${this.#caller.namespace}${path}`, said);
      this.figures.requests += 1;
      if (answer.status !== 429 && answer.status !== 503) {
        deepStrictEqual([method, path, answer.status], [method, path, status], answer.body.toString().slice(0, 1000));
        return answer;
      }
      this.figures.retries += 1;
      await sleep(Number(answer.headers['retry-after']) * 1000);
    }
  }

  #key(): string {
    return `lane ${this.#lane}/${this.#random.integer(KEYS)}`;
  }

  #content(): Uint8Array {
    return this.#random.bytes(SIZES[this.#random.integer(SIZES.length)] ?? 0);
  }

  async #put(): Promise<void> {
    const [key, body] = [this.#key(), this.#content()];
    await this.#ask('PUT', `/files/${encodeURIComponent(key)}`, { body, status: 201 });
    this.#held.set(key, body);
  }

  async #read(): Promise<void> {
    await this.#readKey(this.#key());
  }

  async #readKey(key: string): Promise<void> {
    const held = this.#held.get(key);
    const path = `/files/${encodeURIComponent(key)}`;
    if (held === undefined) return void (await this.#ask('GET', path, { status: 404 }));
    const whole = await this.#ask('GET', path, { status: 200 });
    ok(sameBytes(whole.body, held), `${key} is not what was put`);
    if (held.length < 2) return;
    const start = this.#random.integer(held.length - 1);
    const end = start + 1 + this.#random.integer(held.length - start - 1);
    const part = await this.#ask('GET', path, { headers: { range: `bytes=${start}-${end - 1}` }, status: 206 });
    ok(sameBytes(part.body, held.subarray(start, end)), `bytes ${start} to ${end} of ${key} are not what was put`);
  }

  async #list(): Promise<void> {
    const { body } = await this.#ask('GET', `/files?prefix=${encodeURIComponent(`lane ${this.#lane}/`)}`, {
      status: 200,
    });
    const { entries } = JSON.parse(body.toString()) as { entries: readonly { key: string; size: number }[] };
    const expected = [...this.#held].map(([key, bytes]) => [key, bytes.length]);
    deepStrictEqual(entries.map(({ key, size }) => [key, size]).sort(), expected.sort());
  }

  async #delete(): Promise<void> {
    const key = this.#key();
    const isHeld = this.#held.delete(key);
    await this.#ask('DELETE', `/files/${encodeURIComponent(key)}`, { status: isHeld ? 200 : 404 });
  }

  async #batch(): Promise<void> {
    const puts = Array.from({ length: 3 }, (_, at) => [`lane ${this.#lane}/b${at}`, this.#random.bytes(100)] as const);
    const operations = puts.map(([key, bytes]) => ({ op: 'put', key, base64: Buffer.from(bytes).toString('base64') }));
    const headers = { 'content-type': 'application/json' };
    await this.#ask('POST', '/batch', { headers, body: JSON.stringify({ operations }), status: 200 });
    for (const [key, bytes] of puts) this.#held.set(key, bytes);
  }

  /** An upload in two parts. */
  async #upload(): Promise<void> {
    const [key, bytes] = [this.#key(), this.#random.bytes(1 + this.#random.integer(500_000))];
    const metadata = `key ${Buffer.from(key).toString('base64')}`;
    const begun = { ...TUS, 'upload-length': `${bytes.length}`, 'upload-metadata': metadata };
    const { headers } = await this.#ask('POST', '/uploads', { headers: begun, status: 201 });
    const where = String(headers.location).slice(this.#caller.namespace.length);
    const middle = this.#random.integer(bytes.length);
    for (const [start, end] of [
      [0, middle],
      [middle, bytes.length],
    ] as const) {
      const patch = { ...TUS, 'content-type': 'application/offset+octet-stream', 'upload-offset': `${start}` };
      await this.#ask('PATCH', where, { headers: patch, body: bytes.subarray(start, end), status: 204 });
    }
    this.#held.set(key, bytes);
    await this.#readKey(key);
  }

  /** Of several writers that expect the same version one wins, and what it wrote is there. */
  async #race(): Promise<void> {
    const key = `lane ${this.#lane}/race`;
    const path = `/files/${encodeURIComponent(key)}`;
    const first = this.#random.bytes(10);
    const { headers } = await this.#ask('PUT', path, { body: first, status: 201 });
    const condition = { 'if-match': String(headers.etag) };
    const written = Array.from({ length: WRITERS }, () => this.#random.bytes(10_000));
    const asked = written.map((body) =>
      this.#caller.ask('PUT', `${this.#caller.namespace}${path}`, { headers: condition, body }),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    this.figures.requests += WRITERS;
    const winner = statuses.indexOf(201);
    // Who was told to come again later has not taken part.
    const others = winner === -1 ? 429 : 412;
    ok(
      statuses.every((status, at) => status === (at === winner ? 201 : others) || status === 429),
      `${WRITERS} writers of ${key} were answered with ${statuses.join()}`,
    );
    this.#held.set(key, written[winner] ?? first);
    await this.#readKey(key);
  }
}
