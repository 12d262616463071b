import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/bytes/bytes.ts';
import * as limits from '../../src/limits.ts';
import { samplePack } from './format-files.ts';

const TEXT = readFileSync(path.resolve(import.meta.dirname, '../../docs/format.md'), 'utf8');

/** Offset and size of each row of the byte table under a heading. */
function byteTable(heading: string): { readonly offset: number; readonly bytes: number }[] {
  const [, section = ''] = TEXT.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [, table = ''] = section.split('| offset | bytes | type | what |\n|---|---|---|---|\n');
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n');
  return rows.map((row) => {
    const [, offset, bytes] = row.split('|').map((cell) => cell.trim());
    return { offset: Number(offset), bytes: Number(bytes) };
  });
}

describe('docs/format.md', () => {
  it.each([
    ['Versions and features', 16],
    ['Pack header', 128],
    ['Trailers', 62],
    ['Sealed frames', 12],
    ['Pack footer', 64],
    ['Shard header', 128],
    ['Shard trailer', 48],
    ['Scoped operation', 32],
    ['Isolated entry', 70],
    ['Key page', 120],
    ['Inbox', 1664],
  ])('has a byte table without gaps: %s, %i bytes', (heading, total) => {
    let end = 0;
    for (const { offset, bytes } of byteTable(heading)) {
      expect(offset).toBe(end);
      end += bytes;
    }
    expect(end).toBe(total);
  });

  it('names the label of every derived key', () => {
    const [, section = ''] = TEXT.split(/^### Key schedule$/m);
    const rows = section.slice(0, section.indexOf('\nThe *place')).matchAll(/^\|.*`(holdfast [a-z ]+ v1)`/gm);
    const source = readFileSync(path.resolve(import.meta.dirname, '../../src/format/key-schedule.ts'), 'utf8');
    const labels = source.matchAll(/'(holdfast [a-z ]+ v1)'/g);
    expect([...rows].map(([, label]) => label)).toEqual([...labels].map(([, label]) => label));
  });

  it('says the limits that hold', () => {
    const said = (limit: number): string => limit.toLocaleString('en');
    expect(TEXT).toContain(`95 MiB (${said(limits.PACK_BYTES_MAX)} bytes)`);
    expect(TEXT).toContain(`${said(limits.PACK_RECORDS_MAX)} records; ${said(limits.PACK_ITEMS_MAX)} items`);
    expect(TEXT).toContain(`${limits.RECORD_PLAIN_BYTES_MAX / limits.MIB} MiB of plain bytes`);
    expect(TEXT).toContain(`| chunk | ${limits.CHUNK_BYTES_MAX / limits.MIB} MiB |`);
    expect(TEXT).toContain(`| shards of a stripe | ${limits.STRIPE_SHARDS_MAX} |`);
    expect(TEXT).toContain(
      `${said(limits.MANIFEST_LEAF_CHUNKS_MAX)} chunks a leaf, ${said(limits.MANIFEST_FANOUT)} children a node, ` +
        `level ${limits.MANIFEST_LEVEL_MAX}; ${limits.MANIFEST_INLINE_BYTES_MAX / limits.KIB} KiB`,
    );
    expect(TEXT).toContain(`attributes ${limits.ATTRIBUTES_BYTES_MAX / limits.KIB} KiB`);
    expect(TEXT).toContain(`content type ${limits.CONTENT_TYPE_BYTES_MAX} bytes`);
    expect(TEXT).toContain(`| journal record | ${limits.JOURNAL_RECORD_BYTES_MAX / limits.MIB} MiB |`);
    expect(TEXT).toContain(
      `${limits.INBOX_HEAD_BYTES_MAX / limits.KIB} KiB of head, ${limits.INBOX_PART_BYTES / limits.MIB} MiB of content a part, ` +
        `${said(limits.INBOX_PARTS_MAX)} parts`,
    );
    expect(TEXT).toContain(`| store config | ${limits.STORE_CONFIG_BYTES_MAX / limits.MIB} MiB |`);
    expect(TEXT).toContain(`| scoped operation | ${limits.OPERATION_BYTES_MAX / limits.KIB} KiB as sealed |`);
    expect(TEXT).toContain(`| isolated entry | ${limits.ENTRY_VALUE_BYTES_MAX / limits.KIB} KiB of entry value`);
    expect(limits.ISOLATED_NAMESPACE_MIN).toBe(2 ** 31);
    expect(TEXT).toContain(
      `${said(limits.CBOR_ITEMS_MAX)} values in one component, arrays and maps nested ${limits.CBOR_DEPTH_MAX} deep`,
    );
    expect(TEXT).toContain(`1 to ${said(limits.ENTRY_KEY_BYTES_MAX)} bytes of UTF-8`);
    expect(TEXT).toContain(`every ${said(limits.SHARD_BLOCK_BYTES)} bytes of the data`);
  });

  it('shows the bytes of the golden pack', () => {
    const [, dump = ''] = TEXT.split('## A pack in full');
    const lines = [...dump.matchAll(/^ *(\d+) {2}((?:[0-9a-f]+ )+) {2,}/gm)];
    expect(lines.length).toBeGreaterThan(20);
    const pack = toHex(samplePack('data'));
    for (const [, offset, hex = ''] of lines) {
      const digits = hex.replaceAll(' ', '');
      const at = 2 * Number(offset);
      expect(pack.slice(at, at + digits.length), `byte ${offset}`).toBe(digits);
    }
  });
});
