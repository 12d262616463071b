/** As little of an HTTP client as there can be, so that what is measured is the server: one kept connection, one request after the other. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/** What is asked. */
export interface Asked {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  /** Of what is sent. */
  readonly contentLength?: number;
}

interface Answer {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
}

/** The head of a request. */
export function formatHead({ method, path, contentLength }: Asked): string {
  const length = contentLength === undefined ? '' : `content-length: ${contentLength}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${length}\r\n`;
}

function parseHead(text: string): { readonly status: number; readonly length: number } {
  const status = Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
  const length = /^content-length: (\d+)$/im.exec(text)?.[1];
  if (length === undefined) throw new Error(`an answer without Content-Length: ${text}`);
  return { status, length: Number(length) };
}

/** A connection over loopback. */
export class Connection {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /**
   * @param body what is sent after the head
   * @param onPiece takes what is answered, as it comes
   * @throws when the connection ends before the answer does, or the status is that of a failure
   */
  async request(
    asked: Asked,
    body?: AsyncIterable<Uint8Array>,
    onPiece?: (piece: Uint8Array) => void,
  ): Promise<Answer> {
    const answered = this.#receive(onPiece);
    // Whoever fails while sending is told by what was answered.
    answered.catch(() => undefined);
    this.#socket.write(formatHead(asked));
    for await (const piece of body ?? []) if (!this.#socket.write(piece)) await once(this.#socket, 'drain');
    const answer = await answered;
    if (answer.status >= 400) throw new Error(`${asked.method} ${asked.path} was answered with ${answer.status}`);
    return answer;
  }

  #receive(onPiece: (piece: Uint8Array) => void = () => undefined): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const socket = this.#socket;
    let head: Buffer = Buffer.alloc(0);
    let status: number | undefined;
    let length = 0;
    let bytes = 0;
    const take = (data: Buffer): void => {
      let piece = data;
      if (status === undefined) {
        head = head.length === 0 ? data : Buffer.concat([head, data]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) return;
        ({ status, length } = parseHead(head.toString('latin1', 0, end)));
        piece = head.subarray(end + HEAD_END.length);
      }
      bytes += piece.length;
      onPiece(piece);
      if (bytes >= length) finish(() => resolve({ status: status ?? 0, bytes }));
    };
    const fail = (): void => finish(() => reject(new Error('the connection ended before the answer')));
    const finish = (end: () => void): void => {
      socket.off('data', take);
      socket.off('close', fail);
      end();
    };
    socket.on('data', take);
    socket.on('close', fail);
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }
}
