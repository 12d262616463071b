import type {
  Explanation,
  Lifeline,
  ObjectFinding,
  ObjectInfo,
  ObjectReferrer,
  ObjectVerification,
  RefReferrer,
} from '../../index.ts';
import { formatFields } from './fields.ts';
import { formatBytes } from './format-bytes.ts';
import { countOf, escapeControls, formatCount, formatTime } from './format-text.ts';

const FINDINGS_SHOWN_MAX = 30;
const REFERRERS_SHOWN_MAX = 3;
const LIFELINES_SHOWN_MAX = 30;
const TYPE_WIDTH = 8;
const SIZE_WIDTH = 10;

/** One object in one line; fixed widths let a list stream and still stand in columns. */
export function objectLine({ id, type, size, stored }: ObjectInfo): string {
  return `${type.padEnd(TYPE_WIDTH)}  ${formatBytes(size).padStart(SIZE_WIDTH)}  ${formatTime(stored)}  ${id}`;
}

/** What is known of an object. */
export function objectFields({ id, type, raw, size, stored }: ObjectInfo): string {
  const kind = type === 'blob' ? `blob, ${raw ? 'bytes' : 'with metadata'}` : type;
  return formatFields([
    ['id', id],
    ['type', kind],
    ['size', size < 1024 ? formatBytes(size) : `${formatBytes(size)} (${formatCount(size)} bytes)`],
    ['stored', `${formatTime(stored)} UTC`],
  ]);
}

function refText({ name, number }: RefReferrer): string {
  return `ref ${escapeControls(name)}${number === undefined ? '' : ` (move ${number})`}`;
}

function referrerText(by: ObjectReferrer): string {
  if (by.type === 'ref') return refText(by);
  return `${by.type === 'raw' ? 'blob' : by.type} ${by.id}`;
}

function findingLines(word: string, findings: readonly ObjectFinding[], count: number): string[] {
  const lines: string[] = [];
  for (const { object, type, code, message, referrers, referrerCount } of findings.slice(0, FINDINGS_SHOWN_MAX)) {
    const what = type === undefined ? 'object' : type === 'raw' ? 'blob' : type;
    lines.push(`${word}  ${what} ${object}`, `  ${code}: ${escapeControls(message)}`);
    for (const by of referrers.slice(0, REFERRERS_SHOWN_MAX)) lines.push(`  referred to by ${referrerText(by)}`);
    const others = referrerCount - Math.min(referrerCount, REFERRERS_SHOWN_MAX);
    if (others > 0) lines.push(`  and by ${formatCount(others)} more`);
  }
  const rest = count - Math.min(count, FINDINGS_SHOWN_MAX);
  if (rest > 0) lines.push(`and ${formatCount(rest)} more: --json lists the first thousand`);
  return lines;
}

/** What a verification found, for people. */
export function describeVerification(report: ObjectVerification): string {
  const { objects, blobs, bytes, missingCount, corruptCount, unreachableCount } = report;
  const lines = [
    ...findingLines('MISSING', report.missing, missingCount),
    ...findingLines('CORRUPT', report.corrupt, corruptCount),
    ...findingLines('AWAY', report.unreachable, unreachableCount),
  ];
  const what = `${countOf(objects, 'object', 'objects')} (${countOf(blobs, 'blob', 'blobs')}), ${formatBytes(bytes)}`;
  const away = unreachableCount > 0 ? `, ${formatCount(unreachableCount)} on a backend that is away` : '';
  lines.push(`verified ${what}: ${formatCount(missingCount)} missing, ${formatCount(corruptCount)} corrupt${away}`);
  return lines.join('\n');
}

function lifelineText({ root, path }: Lifeline): string {
  return [refText(root), ...path.map((one) => `  ${referrerText(one)}`)].join('\n');
}

/** Why an object is kept, for people. */
export function describeExplanation({ object, lifelines, lifelineCount, unreadable }: Explanation): string {
  const shown = lifelines.slice(0, LIFELINES_SHOWN_MAX);
  const rest = lifelineCount - shown.length;
  const sentence =
    lifelineCount === 0
      ? `nothing keeps ${object.type} ${object.id}`
      : `${countOf(lifelineCount, 'ref or move keeps', 'refs and moves keep')} ${object.type} ${object.id}`;
  return [
    ...shown.map(lifelineText),
    ...(rest > 0 ? [`and ${formatCount(rest)} more: --json lists the first thousand`] : []),
    sentence,
    ...(unreadable > 0
      ? [`${countOf(unreadable, 'object', 'objects')} could not be read: \`holdfast object verify\` tells which`]
      : []),
  ].join('\n');
}
