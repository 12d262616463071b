import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * A socket that sends together what is written in one turn of the event loop. Of protocols that write many small messages one
 * behind the other each would be a call of the system, and often a packet, by itself.
 */
export class GatheringSocket extends Socket {
  #isGathering = false;

  constructor() {
    super();
    // Connecting gives a socket the `write` of its parent as a property of its own.
    this.once('connect', () => Reflect.deleteProperty(this, 'write'));
  }

  override write(bytes: string | Uint8Array, done?: Done): boolean;
  override write(text: string | Uint8Array, encoding?: BufferEncoding, done?: Done): boolean;
  override write(...what: readonly unknown[]): boolean {
    if (!this.#isGathering) {
      this.#isGathering = true;
      this.cork();
      // After the continuations that run now, which write what comes next.
      process.nextTick(() => {
        this.#isGathering = false;
        this.uncork();
      });
    }
    return super.write(...(what as Parameters<Socket['write']>));
  }
}
