/**
 * Text as inputs: any string of JavaScript as bytes, halves of surrogate pairs included (each as three bytes, as WTF-8
 * has them), so that every input of every target is bytes, can be printed as hex, and is made shorter in one way.
 */
import { utf8Encode } from '../../../src/bytes/bytes.ts';
import { type Mutation, pick, randomSpan, smallCount } from './mutation.ts';

const SURROGATE = /[\ud800-\udfff]/u;
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

export function textInput(text: string): Uint8Array {
  if (!SURROGATE.test(text)) return utf8Encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) bytes.push(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else bytes.push(...utf8Encode(character));
  }
  return Uint8Array.from(bytes);
}

/** The text of an input; what is no UTF-8 shows as U+FFFD, but for halves of surrogate pairs. */
export function inputText(input: Uint8Array): string {
  let text = '';
  let start = 0;
  for (let at = input.indexOf(0xed); at >= 0; at = input.indexOf(0xed, at + 1)) {
    const [second = 0, third = 0] = [input[at + 1], input[at + 2]];
    if (second < 0xa0 || second > 0xbf || (third & 0xc0) !== 0x80) continue;
    const half = String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
    text += lenient.decode(input.subarray(start, at)) + half;
    start = at + 3;
  }
  return text + lenient.decode(input.subarray(start));
}

/** What grammars end at: signs, digits beyond all bounds, other digits and spaces than ASCII's, what looks alike. */
const PIECES = [
  ...['', ' ', '\t', '\n', '\r\n', '\0', '\u007f', '\u0085', '\u00a0', '\u2028', '\ufeff', '\ufffd', '\uffff'],
  ...[
    '/',
    '//',
    '\\',
    '.',
    '..',
    ':',
    ';',
    ',',
    '-',
    '--',
    '+',
    '=',
    '@{',
    '}',
    '~',
    '^',
    '*',
    '**',
    '?',
    '[',
    ']',
    '!',
    '#',
    '%',
    '$',
    '"',
    "'",
  ],
  ...[
    '0',
    '-0',
    '00',
    '1',
    '9',
    '-1',
    '1e3',
    '0x10',
    '1_000',
    '99999999999999999999',
    '9007199254740992',
    '2147483648',
    '0.5',
    '١',
    '１',
  ],
  ...['NaN', 'Infinity', 'null', 'true', 'undefined', '__proto__', 'constructor', 'latest', 'HEAD', 'none', 'all'],
  ...['é', 'e\u0301', 'ß', 'İ', 'K', 'ſ', '𝟙', '👨‍👩‍👧', '\ud83d', '\ude00', '\u202e', '\u0000'],
];

const insertPiece: Mutation = (input, random) => {
  const text = inputText(input);
  const { start, end } = randomSpan(random, text.length);
  const piece = pick(random, PIECES).repeat(random.integer(8) === 0 ? smallCount(random, 512) : 1);
  return textInput(text.slice(0, start) + piece + text.slice(random.integer(2) === 0 ? start : end));
};

const changeCase: Mutation = (input, random) => {
  const text = inputText(input);
  const { start, end } = randomSpan(random, text.length);
  const part = text.slice(start, end);
  return textInput(
    text.slice(0, start) + (random.integer(2) === 0 ? part.toUpperCase() : part.toLowerCase()) + text.slice(end),
  );
};

const repeatPart: Mutation = (input, random) => {
  const text = inputText(input);
  const { start, end } = randomSpan(random, text.length);
  const times = random.integer(4) === 0 ? smallCount(random, 2048) : 2;
  return textInput(text.slice(0, end) + text.slice(start, end).repeat(times) + text.slice(end));
};

const dropPart: Mutation = (input, random) => {
  const text = inputText(input);
  const { start, end } = randomSpan(random, text.length);
  return textInput(text.slice(0, start) + text.slice(end));
};

const mixTexts: Mutation = (input, random, others) => {
  const [text, other] = [inputText(input), inputText(pick(random, others))];
  return textInput(text.slice(0, random.integer(text.length + 1)) + other.slice(random.integer(other.length + 1)));
};

/** One run of digits becomes a number at which something ends. */
const changeNumber: Mutation = (input, random) => {
  const text = inputText(input);
  const runs = [...text.matchAll(/\d+/g)];
  if (runs.length === 0) return input;
  const run = pick(random, runs);
  const value = BigInt(run[0].slice(0, 40));
  const numbers = [
    0n,
    1n,
    value + 1n,
    value - 1n,
    value * 10n,
    59n,
    60n,
    255n,
    256n,
    2n ** 32n,
    2n ** 53n,
    10n ** 15n,
    10n ** 30n,
  ];
  const number = pick(random, numbers)
    .toString()
    .padStart(random.integer(2) === 0 ? run[0].length : 0, '0');
  return textInput(text.slice(0, run.index) + number + text.slice(run.index + run[0].length));
};

const oneUnit: Mutation = (input, random) => {
  const text = inputText(input);
  const at = random.integer(text.length + 1);
  const unit = String.fromCharCode(pick(random, [random.integer(128), random.integer(0x10000)]));
  return textInput(text.slice(0, at) + unit + text.slice(at + random.integer(2)));
};

export const TEXT_MUTATIONS: readonly Mutation[] = [
  ...[insertPiece, insertPiece, changeCase, repeatPart, dropPart],
  ...[mixTexts, changeNumber, changeNumber, oneUnit],
];
