import { describe, expect, it } from 'vitest';
import { TypedLine } from './typed-line.ts';

function typed(...pieces: (string | Uint8Array)[]): { line: TypedLine; rest: string } {
  const line = new TypedLine();
  let rest = '';
  for (const piece of pieces) rest += Buffer.from(line.push(Buffer.from(piece))).toString();
  return { line, rest };
}

describe('a line typed without echo', () => {
  it.each([
    ['plain', 'secret\r', 'secret'],
    ['a line feed ends it too', 'secret\n', 'secret'],
    ['backspace removes a character', 'sex\u007fcx\u0008ret\r', 'secret'],
    ['backspace removes all bytes of a character', 'aü🎉\u007f\u007fb\r', 'ab'],
    ['backspace at the beginning does nothing', '\u007f\u007fa\r', 'a'],
    ['Ctrl-U begins anew', 'wrong\u0015right\r', 'right'],
    ['arrows and function keys are nothing', 'a\u001b[Ab\u001bOPc\u001b[15~d\r', 'abcd'],
    ['a lone escape takes the key with it and no more', 'a\u001bxb\r', 'ab'],
    ['other control characters are nothing', 'a\u0001\u001cb\tc\r', 'abc'],
    ['blanks belong to it', ' two  words \r', ' two  words '],
    ['Ctrl-D ends a line that has begun', 'abc\u0004', 'abc'],
  ])('%s', (_, keys, text) => {
    const { line } = typed(keys);
    expect(line.state).toBe('ended');
    expect(line.text).toBe(text);
  });

  it('takes a character that comes in two pieces', () => {
    const [first, second] = [Buffer.from('ü').subarray(0, 1), Buffer.from('ü').subarray(1)];
    expect(typed(first, second, '\r').line.text).toBe('ü');
  });

  it('leaves what comes after it to the next reader', () => {
    const { line, rest } = typed('one\rtwo\r');
    expect(line.text).toBe('one');
    expect(rest).toBe('two\r');
  });

  it('knows Ctrl-C, and Ctrl-D before anything was typed', () => {
    expect(typed('ab\u0003').line.state).toBe('interrupted');
    expect(typed('\u0004').line.state).toBe('closed');
    expect(typed('a\u007f\u0004').line.state).toBe('closed');
    expect(typed('ab').line.state).toBe('open');
  });

  it('refuses what is not UTF-8, and forgets', () => {
    expect(() => typed(Uint8Array.of(0xff, 0x0d)).line.text).toThrow(TypeError);
    const { line } = typed('abc\r');
    line.wipe();
    expect(line.text).toBe('');
  });
});
