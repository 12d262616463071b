import { fstatSync, writev } from 'node:fs';
import { promisify } from 'node:util';
import { fileError, systemCodeOf } from './file-error.ts';
import { type WriteBuffers, writeContent } from './files/write-content.ts';
import { usageError } from './usage-error.ts';

const writevTo = promisify(writev);

/** Lines are gathered up to this many characters before a write, unless somebody watches. */
const OUTPUT_BATCH_LENGTH = 16 * 1024;
const CLEAR_LINE = '\r\u001b[K';

/** The stream the process writes to, reduced to what is used. */
export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Of the system, where it is one of the process. */
  readonly fd?: number;
};

/** How to write to the file that a stream goes to, if it is one: the stream itself makes everything wait for each write. */
function fileBehind({ fd }: OutputStream): WriteBuffers | undefined {
  if (fd === undefined || !fstatSync(fd).isFile()) return undefined;
  return async (buffers) => {
    try {
      return (await writevTo(fd, buffers)).bytesWritten;
    } catch (error) {
      throw fileError(error, 'standard output', 'write');
    }
  };
}

/** Thrown when the reader of standard output went away (`holdfast ls | head`): no failure, only the end. */
export class OutputClosed extends Error {}

/**
 * Standard output for results and standard error for everything else. Results wait for the reader (back-pressure);
 * notes and the status line never do. The status line is taken away before anything else is written and never mixes in.
 */
export class Terminal {
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  #pending = '';
  #outputClosed = false;
  #status = '';

  constructor(stdout: OutputStream, stderr: OutputStream) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    // Failed writes are told to the one who wrote; without listeners they would end the process as well.
    stdout.on('error', () => undefined);
    stderr.on('error', () => undefined);
  }

  get outputIsTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  get notesAreTerminal(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** Columns of the terminal that shows the notes; 80 where it does not say. */
  get columns(): number {
    return this.#stderr.columns || 80;
  }

  /** Writes a line of results. @throws `OutputClosed`, `exhausted/DISK_FULL`, `unavailable/BACKEND_IO` */
  async print(line: string): Promise<void> {
    this.#pending += `${line}\n`;
    if (this.outputIsTerminal || this.#pending.length >= OUTPUT_BATCH_LENGTH) await this.flush();
  }

  /**
   * Writes content to standard output, after all lines printed before.
   * @param options `isText`: content that is none is refused where it would garble a terminal
   * @throws what `content` throws, a usage error, and as `print`
   */
  async printContent(content: AsyncIterable<Uint8Array>, { isText = false } = {}): Promise<void> {
    await this.flush();
    const write = fileBehind(this.#stdout);
    if (write) return await writeContent(content, write);
    let mayGarble = isText && this.outputIsTerminal;
    for await (const bytes of content) {
      if (mayGarble && bytes.includes(0))
        throw usageError('this is binary and would garble the terminal; use -o FILE, or -o - to print it anyway');
      mayGarble = false;
      await this.#write(bytes);
    }
  }

  async flush(): Promise<void> {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    await this.#write(text);
  }

  /** Writes a line to standard error. */
  note(line: string): void {
    this.#clearStatus();
    this.#stderr.write(`${line}\n`);
  }

  /** Writes a question to standard error; the answer stands behind it. */
  ask(question: string): void {
    this.#clearStatus();
    this.#stderr.write(question);
  }

  /** Shows one line that the next one replaces; only on a terminal. Empty text takes it away. */
  status(text: string): void {
    if (!this.notesAreTerminal || text === this.#status) return;
    this.#stderr.write(`${CLEAR_LINE}${text}`);
    this.#status = text;
  }

  #clearStatus(): void {
    if (this.#status === '') return;
    this.#stderr.write(CLEAR_LINE);
    this.#status = '';
  }

  async #write(data: string | Uint8Array): Promise<void> {
    if (this.#outputClosed) throw new OutputClosed();
    if (this.outputIsTerminal) this.#clearStatus();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#stdout.write(data, (error) => (error ? reject(error) : resolve()));
    try {
      await promise;
    } catch (error) {
      this.#outputClosed = systemCodeOf(error) === 'EPIPE';
      throw this.#outputClosed ? new OutputClosed() : fileError(error, 'standard output', 'write');
    }
  }
}
