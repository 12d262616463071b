/**
 * What one more piece of typing made of a line: to be gone on with, ended, ended without a line (Ctrl-D), or Ctrl-C.
 */
export type LineState = 'open' | 'ended' | 'closed' | 'interrupted';

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CTRL_U = 0x15;
const ESCAPE = 0x1b;
const DELETE = 0x7f;

/**
 * A line as a terminal in raw mode sends it, byte by byte: there the kernel edits nothing, so that backspace, Ctrl-U,
 * Ctrl-C and Ctrl-D are ours to understand. Bytes and not text, because a character may come in two pieces.
 */
export class TypedLine {
  #bytes: number[] = [];
  #escape: 'none' | 'begun' | 'sequence' = 'none';
  #state: LineState = 'open';

  get state(): LineState {
    return this.#state;
  }

  /** The line without its end. @throws TypeError for bytes that are not UTF-8 */
  get text(): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(this.#bytes));
  }

  /** Takes what was typed. @returns what came after the end of the line, for whoever reads next */
  push(typed: Uint8Array): Uint8Array {
    for (const [index, byte] of typed.entries()) {
      this.#take(byte);
      if (this.#state !== 'open') return typed.subarray(index + 1);
    }
    return typed.subarray(typed.length);
  }

  /** Forgets the line, as far as a program can. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#bytes = [];
  }

  #take(byte: number): void {
    if (this.#escape === 'none') this.#edit(byte);
    else this.#skipEscape(byte);
  }

  #edit(byte: number): void {
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) this.#state = 'ended';
    else if (byte === CTRL_C) this.#state = 'interrupted';
    // As in a terminal that edits by itself: at the beginning of a line it ends the input, later it ends the line.
    else if (byte === CTRL_D) this.#state = this.#bytes.length === 0 ? 'closed' : 'ended';
    else if (byte === BACKSPACE || byte === DELETE) this.#removeCharacter();
    else if (byte === CTRL_U) this.wipe();
    else if (byte === ESCAPE) this.#escape = 'begun';
    // An arrow or function key pressed by mistake must not become a part of a passphrase nobody can type again.
    else if (byte >= 0x20) this.#bytes.push(byte);
  }

  /** ECMA-48, section 5.4: ESC, then `[` (or the `O` of older keys) and bytes up to one from 0x40 to 0x7e. */
  #skipEscape(byte: number): void {
    if (this.#escape === 'begun' && (byte === 0x5b || byte === 0x4f)) this.#escape = 'sequence';
    else if (this.#escape === 'begun' || (byte >= 0x40 && byte <= 0x7e)) this.#escape = 'none';
  }

  /** Bytes 10xxxxxx continue a character of UTF-8 (RFC 3629, section 3). */
  #removeCharacter(): void {
    let last = this.#bytes.pop();
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#bytes.pop();
  }
}
