import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { Interrupted } from '../interrupt.ts';
import type { Terminal } from '../terminal.ts';
import { usageError } from '../usage-error.ts';
import { TypedLine } from './typed-line.ts';

/** A terminal that somebody types at, reduced to what is used. */
export type KeyboardStream = NodeJS.ReadableStream & { setRawMode(raw: boolean): unknown };

/** A keyboard that was opened for one prompt or belongs to the process. */
export interface Keyboard {
  readonly stream: KeyboardStream;
  release(): void;
}

/**
 * Who types at this process: standard input, or the terminal the process belongs to when standard input brings content.
 * `undefined` where nobody does, or nobody would see the question.
 */
export function openKeyboard(terminal: Terminal): Keyboard | undefined {
  if (!terminal.notesAreTerminal) return undefined;
  if (process.stdin.isTTY) return { stream: process.stdin, release: () => process.stdin.pause() };
  if (process.platform === 'win32') return undefined;
  try {
    const stream = new ReadStream(openSync('/dev/tty', 'r'));
    return { stream, release: () => stream.destroy() };
  } catch {
    // Without a terminal there is nobody to ask: not an error, but an answer.
    return undefined;
  }
}

/** How a question is asked. */
export interface Asking {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/**
 * Reads one line, whatever happens to it: end of line, Ctrl-C, a signal, an error. What was typed ahead stays for the
 * next reader.
 * @throws `Interrupted` for Ctrl-C, the signal's reason, a usage error for Ctrl-D and for what is no text
 */
async function readTypedLine(stream: KeyboardStream, { signal }: { readonly signal: AbortSignal }): Promise<string> {
  signal.throwIfAborted();
  const line = new TypedLine();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onData = (typed: Buffer): void => {
    const rest = line.push(typed);
    if (line.state === 'open') return;
    stream.off('data', onData);
    stream.pause();
    if (rest.length > 0) stream.unshift(Buffer.from(rest));
    resolve();
  };
  const onEnd = (): void => resolve();
  const onAbort = (): void => reject(signal.reason);
  try {
    stream.on('data', onData).once('end', onEnd).once('error', reject);
    signal.addEventListener('abort', onAbort, { once: true });
    stream.resume();
    await promise;
    return textOf(line);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stream.off('data', onData).off('end', onEnd).off('error', reject);
    stream.pause();
    line.wipe();
  }
}

function textOf(line: TypedLine): string {
  if (line.state === 'interrupted') throw new Interrupted('SIGINT');
  if (line.state !== 'ended') throw usageError('nothing was typed');
  try {
    return line.text;
  } catch {
    throw usageError('what was typed is not UTF-8; set the terminal to it');
  }
}

async function askOn(keyboard: Keyboard, question: string, asking: Asking): Promise<string> {
  asking.terminal.ask(`${question}: `);
  try {
    return await readTypedLine(keyboard.stream, { signal: asking.signal });
  } finally {
    // The end of the line was not shown either.
    asking.terminal.note('');
  }
}

async function withKeyboard<T>(asking: Asking, work: (keyboard: Keyboard) => Promise<T>): Promise<T | undefined> {
  const keyboard = openKeyboard(asking.terminal);
  if (keyboard === undefined) return undefined;
  try {
    return await work(keyboard);
  } finally {
    keyboard.release();
  }
}

/**
 * With a keyboard that shows nothing of what is typed: from before the question is seen, so that nobody answers too
 * early, until after the last answer. Afterwards the terminal is as it was.
 */
function withHiddenKeyboard<T>(asking: Asking, work: (keyboard: Keyboard) => Promise<T>): Promise<T | undefined> {
  return withKeyboard(asking, async (keyboard) => {
    keyboard.stream.setRawMode(true);
    try {
      return await work(keyboard);
    } finally {
      keyboard.stream.setRawMode(false);
    }
  });
}

/** Asks for something that must not be seen. @returns `undefined` where nobody can be asked */
export function askSecret(question: string, asking: Asking): Promise<string | undefined> {
  return withHiddenKeyboard(asking, (keyboard) => askOn(keyboard, question, asking));
}

/**
 * Asks for a new secret, twice, because a slip of the fingers would lock everybody out.
 * @returns `undefined` where nobody can be asked
 * @throws a usage error when the two differ or are empty
 */
export function askNewSecret(question: string, asking: Asking): Promise<string | undefined> {
  return withHiddenKeyboard(asking, async (keyboard) => {
    const first = await askOn(keyboard, question, asking);
    if (first === '') throw usageError('an empty passphrase protects nothing');
    const second = await askOn(keyboard, 'The same again', asking);
    if (first !== second) throw usageError('the two are not the same; nothing was changed');
    return first;
  });
}

/** Asks a question whose answer may be seen. @returns whether it was yes; `undefined` where nobody can be asked */
export function askYesOrNo(question: string, asking: Asking): Promise<boolean | undefined> {
  return withKeyboard(asking, async (keyboard) => {
    asking.terminal.ask(`${question} Type yes to go on: `);
    const answer = await readTypedLine(keyboard.stream, { signal: asking.signal });
    return answer.trim().toLowerCase() === 'yes';
  });
}
