/** Golden files as samples: what real encoders wrote once, also where what they write holds randomness. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseHex } from '../../golden/format-files.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../golden/v1');

/** @param name path below the golden files of version 1 */
export function goldenPath(name: string): string {
  return path.join(FOLDER, name);
}

export function goldenBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(goldenPath(name)));
}

/** Bytes that are kept as lines of hex. */
export function goldenHex(name: string): Uint8Array {
  return parseHex(goldenText(name));
}

export function goldenText(name: string): string {
  return readFileSync(goldenPath(name), 'utf8');
}
