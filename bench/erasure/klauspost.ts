import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { firstLine } from '../peers/tool.ts';

const SOURCE = path.join(import.meta.dirname, 'klauspost.go');
/** Where Debian's packages of Go libraries lie. */
const GOPATH = '/usr/share/gocode';

/** One thing to measure. */
export interface CodingRequest {
  readonly operation: 'encode' | 'reconstruct';
  readonly k: number;
  readonly m: number;
  readonly shardBytes: number;
  readonly times: number;
}

/** A running peer that measures on request, so that rounds can be interleaved. */
export class KlauspostPeer {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  constructor(program: string) {
    this.#process = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** @returns seconds for all `times` together */
  async measure({ operation, k, m, shardBytes, times }: CodingRequest): Promise<number> {
    this.#process.stdin.write(`${operation} ${k} ${m} ${shardBytes} ${times}\n`);
    const { value } = await this.#answers.next();
    const seconds = Number(value);
    if (!(seconds > 0)) throw new Error(`klauspost/reedsolomon gave ${value} for ${operation} ${k}+${m}`);
    return seconds;
  }

  close(): void {
    this.#process.stdin.end();
    this.#lines.close();
  }
}

/** @returns the peer, or `undefined` after a line that says what is missing */
export function openKlauspost(workFolder: string, say: (line: string) => void): KlauspostPeer | undefined {
  const advice = 'apt-get install golang-go golang-github-klauspost-reedsolomon-dev';
  if (firstLine('go', ['version']) === undefined) {
    say(`MISSING go, for klauspost/reedsolomon: ${advice}`);
    return undefined;
  }
  const program = path.join(workFolder, 'klauspost');
  const env = { ...process.env, GO111MODULE: 'off', GOPATH, GOCACHE: path.join(workFolder, 'go-cache') };
  try {
    execFileSync('go', ['build', '-o', program, SOURCE], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    say(`MISSING klauspost/reedsolomon (${advice}): ${String((error as { stderr?: unknown }).stderr).trim()}`);
    return undefined;
  }
  return new KlauspostPeer(program);
}
