import { Writable } from 'node:stream';

/** An output stream that remembers what was written, as a terminal or not; it can fail as the system would. */
export class RecordingStream extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly writes: string[] = [];
  /** System code of the error that the next writes end with. */
  failure: string | undefined;

  constructor(options: { readonly isTTY?: boolean; readonly columns?: number } = {}) {
    super({ autoDestroy: false });
    this.isTTY = options.isTTY ?? false;
    this.columns = options.columns ?? 80;
  }

  get text(): string {
    return this.writes.join('');
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    const { failure } = this;
    if (failure === undefined) this.writes.push(chunk.toString());
    done(failure === undefined ? undefined : Object.assign(new Error(failure), { code: failure }));
  }
}
