import type { ChunkInfo, EntryPack, EntryReport } from '../../index.ts';
import { formatBytes } from './format-bytes.ts';
import { countOf, formatCount } from './format-text.ts';

type Field = readonly [name: string, value: string | undefined];

function sharedText({ sharedBytes, ownBytes }: EntryReport): string | undefined {
  if (sharedBytes === undefined || ownBytes === undefined) return undefined;
  return `${formatBytes(sharedBytes)} with other entries; ${formatBytes(ownBytes)} of its own`;
}

function notWell({ missingItems, suspectItems }: EntryReport): string | undefined {
  if (missingItems + suspectItems === 0) return undefined;
  return `${formatCount(missingItems)} MISSING, ${formatCount(suspectItems)} FOUND DAMAGED: \`holdfast validate\` tells more`;
}

/** What an entry takes, as fields. */
export function storageFields(report: EntryReport): readonly Field[] {
  const { distinctChunks, uniqueBytes, savingsPercent, recordBytes, compressionRatio, manifestNodes } = report;
  const where = [
    ...(report.packCount > 0 ? [countOf(report.packCount, 'pack', 'packs')] : []),
    ...(report.pendingChunks > 0 ? ['the metadata, until the journal has it'] : []),
  ];
  return [
    [
      'unique',
      `${formatBytes(uniqueBytes)} in ${countOf(distinctChunks, 'distinct chunk', 'distinct chunks')} ` +
        `(${savingsPercent.toFixed(1)} % of it repeats)`,
    ],
    ['shared', sharedText(report)],
    ['records', `${formatBytes(recordBytes)} (${compressionRatio.toFixed(2)} to 1)`],
    [
      'manifest',
      manifestNodes === 0
        ? undefined
        : `${formatBytes(report.manifestBytes)} in ${countOf(manifestNodes, 'node', 'nodes')}`,
    ],
    ['stored', `${formatBytes(report.storedBytes)}${where.length > 0 ? ` in ${where.join(' and ')}` : ''}`],
    ['not well', notWell(report)],
  ];
}

function packLine(pack: EntryPack): string {
  const backends = pack.shards.map(({ backend }) => backend ?? '?').join(', ');
  const share = `${formatBytes(pack.entryStoredBytes)} of ${formatBytes(pack.storedBytes)}`;
  return `pack  ${pack.packId}  ${pack.class}  ${pack.redundancy}  ${share}  ${countOf(pack.entryItems, 'item', 'items')}  ${backends}`;
}

/** The packs of an entry, one a line. */
export function packLines({ packs = [] }: EntryReport): readonly string[] {
  return packs.map(packLine);
}

const WIDTHS = [8, 15, 10, 10, 9, 6] as const;

function chunkRow(cells: readonly string[], ...rest: readonly string[]): string {
  return [...cells.map((cell, at) => cell.padStart(WIDTHS[at] ?? 0)), ...rest].join('  ').trimEnd();
}

/** Headings of the lines of `chunkLine`: of fixed width, so that a list streams and still stands in columns. */
export const CHUNK_HEADINGS = chunkRow(
  ['chunk', 'offset', 'length', 'stored', 'state', 'shards'],
  'digest'.padEnd(71),
  'pack',
);

/** One chunk with its placement. */
export function chunkLine({ index, offset, length, digest, placement }: ChunkInfo): string {
  const { state = 'missing', storedBytes, pack } = placement ?? {};
  const stored = storedBytes === undefined ? '' : formatBytes(storedBytes);
  const cells = [
    ...[formatCount(index), formatCount(offset), formatBytes(length), stored],
    ...[state, pack?.redundancy ?? ''],
  ];
  return chunkRow(cells, digest, pack?.packId ?? '');
}
