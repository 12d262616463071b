/**
 * Records of pax extended headers (POSIX.1-2017 pax, section "pax Extended Header"): `LENGTH KEY=VALUE\n`, where the
 * length counts the whole record. Values are bytes: POSIX says UTF-8, `hdrcharset=BINARY` says anything.
 */
import { concatBytes, utf8Encode } from '../bytes/bytes.ts';
import { archiveInvalid } from './tar-item.ts';

export type PaxRecords = ReadonlyMap<string, Uint8Array>;

/** What an archive says about items and Holdfast reads; more is passed over, so that it takes no memory. */
const KEYS: ReadonlySet<string> = new Set(['path', 'linkpath', 'size', 'mtime']);
/** Every one of them says that the content of a file is not what it seems. */
const SPARSE = 'GNU.sparse.';

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const LENGTH_DIGITS_MAX = 10;

function lengthIn(digits: Uint8Array): number {
  const text = Buffer.from(digits).toString('latin1');
  return /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * Reads the records of one extended header; the last of a key counts. An empty value takes back what was said before.
 * @param offset where it lies in the archive, for errors
 * @throws `invalid/ARCHIVE_INVALID`
 */
export function parsePax(body: Uint8Array, offset: number): PaxRecords {
  const records = new Map<string, Uint8Array>();
  for (let start = 0; start < body.length; ) {
    const space = body.subarray(start, start + LENGTH_DIGITS_MAX + 1).indexOf(SPACE);
    const end = start + (space === -1 ? Number.NaN : lengthIn(body.subarray(start, start + space)));
    const record = body.subarray(start + space + 1, end);
    const equals = record.indexOf(EQUALS);
    if (!(end <= body.length) || record.at(-1) !== NEWLINE || equals < 1) {
      throw archiveInvalid('a record of an extended header is damaged', { offset: offset + start });
    }
    const key = Buffer.from(record.subarray(0, equals)).toString('latin1');
    if (KEYS.has(key)) records.set(key, record.slice(equals + 1, -1));
    else if (key.startsWith(SPARSE)) records.set(SPARSE, record.slice(equals + 1, -1));
    start = end;
  }
  return records;
}

/** Whether records describe a sparse file of GNU tar. */
export function isSparse(records: PaxRecords): boolean {
  return records.has(SPARSE);
}

/** Writes records. */
export function encodePax(records: PaxRecords): Uint8Array {
  const encoded: Uint8Array[] = [];
  for (const [key, value] of records) {
    const text = utf8Encode(` ${key}=`);
    const rest = text.length + value.length + 1;
    // The length counts its own digits.
    let length = rest + String(rest).length;
    if (rest + String(length).length !== length) length = rest + String(length).length;
    encoded.push(utf8Encode(String(length)), text, value, Uint8Array.of(NEWLINE));
  }
  return concatBytes(encoded);
}
