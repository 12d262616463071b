/**
 * Canonical JSON as snapshot-store writes it: what Python's `json.dumps` gives with sorted keys, no white space and
 * non-ASCII characters as they are. It differs from RFC 8785 in two ways: keys are sorted by code point and not by
 * UTF-16 unit, and numbers keep Python's text, which tells `1.0` from `1` and holds integers of any size.
 *
 * So numbers are read as their text here. Only the canonical text of a value is taken: with one spelling for each value
 * there are no duplicate keys, no white space and no other escapes that hashing a parsed value would not see.
 */
import { utf8Decode } from '../bytes/bytes.ts';
import { SNAPSHOT_STORE_DEPTH_MAX } from '../limits.ts';

/** A number by its text. */
export class PythonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type PythonJson =
  | null
  | boolean
  | string
  | PythonNumber
  | readonly PythonJson[]
  | { readonly [name: string]: PythonJson };

const INTEGER = /^(?:0|-?[1-9][0-9]*)$/;

/** The text of a double as `repr` of Python gives it: shortest digits, an exponent from 1e16 on and below 1e-4. */
export function pythonFloatText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  if (value === 0) return '0.0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  const sign = value < 0 ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

function isPythonNumber(text: string): boolean {
  if (INTEGER.test(text)) return true;
  const value = Number(text);
  return Number.isFinite(value) && pythonFloatText(value) === text;
}

/** How deep arrays and objects nest, without parsing: a parser would run out of stack before it could tell. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === 0x5c) index += 1;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b || unit === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return deepest;
}

function byCodePoint(a: string, b: string): number {
  // UTF-8 sorts as code points do.
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function write(value: PythonJson): string {
  if (value instanceof PythonNumber) return value.text;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  const fields = Object.entries(value).sort(([a], [b]) => byCodePoint(a, b));
  return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${write(one)}`).join(',')}}`;
}

/** Whether a value holds no half of a surrogate pair, which Python cannot write as UTF-8, and only Python's numbers. */
function isWritable(value: PythonJson): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (value instanceof PythonNumber) return isPythonNumber(value.text);
  if (value === null || typeof value !== 'object') return true;
  if (Array.isArray(value)) return value.every(isWritable);
  return Object.entries(value).every(([name, one]) => name.isWellFormed() && isWritable(one));
}

function keepNumber(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new PythonNumber(context?.source ?? '') : value;
}

/**
 * Reads a value from its canonical bytes.
 * @returns `undefined` for bytes that are no JSON, not the canonical ones of their value, or nest too deep
 */
export function parsePythonJson(bytes: Uint8Array): PythonJson | undefined {
  try {
    const text = utf8Decode(bytes);
    if (depthOf(text) > SNAPSHOT_STORE_DEPTH_MAX) return undefined;
    const value = JSON.parse(text, keepNumber as Parameters<typeof JSON.parse>[1]) as PythonJson;
    return isWritable(value) && write(value) === text ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
