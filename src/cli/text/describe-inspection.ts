/** Inspections for people: sections of fields, and tables of what is listed. */
import type {
  InspectedItem,
  InspectedMessage,
  InspectedOperation,
  InspectedPack,
  InspectedPlace,
  InspectedRecord,
  InspectedShard,
  Inspection,
} from '../../index.ts';
import { formatFields } from './fields.ts';
import { formatBytes } from './format-bytes.ts';
import { countOf, escapeControls, formatCount } from './format-text.ts';
import { formatTable } from './table.ts';

const PROBLEMS_SHOWN_MAX = 30;
const CODEC_NAMES: Readonly<Record<number, string>> = { 0: 'stored', 1: 'zstd' };

const OUTCOMES: Readonly<Record<Inspection['outcome'], string>> = {
  ok: 'ok',
  damaged: 'DAMAGED',
  unsupported: 'UNSUPPORTED: a newer version of Holdfast wrote part of it',
};

const LOCKED: Readonly<Record<string, string>> = {
  KEY_REQUIRED: 'sealed: keys open the rest (--key-file, --passphrase-file or --identity)',
  NAMESPACE_KEY_GONE: 'sealed under a key that was destroyed',
  KEY_PAGE_MISSING: 'sealed under a key that was destroyed',
  EPOCH_UNKNOWN: 'sealed under an epoch that the keys do not have',
};

/** The whole of an inspection. */
export function describeInspection(inspection: Inspection): string {
  const { kind, path, bytes, shard, pack, config, message, place, record } = inspection;
  const sections = [
    formatFields([
      ['what', kind],
      ['file', path === undefined ? undefined : escapeControls(path)],
      ['bytes', formatBytes(bytes)],
    ]),
    ...(place ? [describePlace(place)] : []),
    ...(record ? [describeRecord(record)] : []),
    ...(shard ? [describeShard(shard)] : []),
    ...(pack ? describePack(pack) : []),
    ...(config ? [JSON.stringify(config, undefined, 2)] : []),
    ...(message ? [describeMessage(message)] : []),
    ...describeRest(inspection),
    verdict(inspection),
  ];
  return sections.join('\n\n');
}

/** What has no form of its own. */
function describeRest({ ring, marker, keyPage, part, file, manifest, object }: Inspection): string[] {
  return Object.entries({ ring, marker, keyPage, part, file, manifest, object }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${escapeControls(JSON.stringify(value, undefined, 2))}`],
  );
}

function verdict({ outcome, problems, problemCount, locked }: Inspection): string {
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX);
  return [
    ...(locked === undefined ? [] : [LOCKED[locked] ?? locked]),
    ...shown.map(({ part, code, message }) => `${part}: ${code}: ${escapeControls(message)}`),
    ...(problemCount > shown.length ? [`and ${formatCount(problemCount - shown.length)} more problems`] : []),
    outcome === 'ok' && locked !== undefined ? 'ok, as far as it could be read' : OUTCOMES[outcome],
  ].join('\n');
}

function describePlace({ pack, item, suspect, condemned }: InspectedPlace): string {
  const fields = formatFields([
    ['lies in', pack === undefined ? 'the metadata, until the journal has it' : `pack ${pack}`],
    ['state', suspect ? 'FOUND DAMAGED' : condemned ? 'garbage, to be deleted' : undefined],
  ]);
  return item ? `${fields}\n\n${itemTable([item])}` : fields;
}

function describeShard({ header, trailer, damagedBlocks }: InspectedShard): string {
  const bad = damagedBlocks && damagedBlocks.length > 0 ? `, DAMAGED: ${damagedBlocks.join(' ')}` : '';
  return formatFields([
    ['store', header?.store],
    ['pack', header?.pack],
    ['stripe', header?.stripe],
    ['shard', header && `${header.index} of ${header.k}+${header.m}`],
    ['data', header && `${formatBytes(header.shardBytes)} of a pack of ${formatBytes(header.packBytes)}`],
    ['blocks', trailer && `${formatCount(trailer.blocks)}${bad}`],
    ['roots', trailer?.roots.join('\n')],
  ]);
}

function describePack({ bytes, header, footer, items, journal, stripe }: InspectedPack): string[] {
  const fields = formatFields([
    ['pack', header?.pack],
    ['store', header?.store],
    ['class', header?.class],
    ['keys', header && keysText(header)],
    ['size', formatBytes(bytes)],
    ['directory', footer && `${formatBytes(footer.directoryLength)} at ${footer.directoryOffset}`],
    ['records', footer && `${formatCount(footer.recordCount)}, ${countOf(footer.itemCount, 'item', 'items')}`],
    ['redundancy', stripe && `${stripe.k}+${stripe.m}`],
    ['backends', stripe?.backends?.map((name) => name ?? 'none').join(', ')],
    ['padding', footer && footer.paddingLength > 0 ? formatBytes(footer.paddingLength) : undefined],
  ]);
  const unlisted = (footer?.itemCount ?? 0) - (items?.length ?? 0);
  return [
    fields,
    ...(items ? [itemTable(items)] : []),
    ...(items && unlisted > 0 ? [`${countOf(unlisted, 'more item', 'more items')}: --limit lists them`] : []),
    ...(journal ?? []).map(describeRecord),
  ];
}

function keysText({ keyMode, namespace, epoch }: NonNullable<InspectedPack['header']>): string {
  return keyMode === 'plain' ? 'plain' : `sealed, namespace ${namespace}, epoch ${epoch}`;
}

function itemTable(items: readonly InspectedItem[]): string {
  return formatTable(
    ['record', 'kind', 'offset', 'stored', 'plain', 'codec', 'from', 'length', 'id'],
    items.map((item) => [
      ...[String(item.ordinal), item.kind, String(item.offset), String(item.storedLength), String(item.plainLength)],
      ...[CODEC_NAMES[item.codec] ?? String(item.codec), String(item.inner), String(item.length), item.id],
    ]),
  );
}

/** A journal record, one operation a line. */
function describeRecord({ commit, time, digest, operations, operationCount }: InspectedRecord): string {
  const unlisted = operationCount - operations.length;
  return [
    `commit ${commit}  ${time}  ${digest}`,
    ...operations.map(operationLine),
    ...(unlisted > 0 ? [`  and ${countOf(unlisted, 'more operation', 'more operations')}`] : []),
  ].join('\n');
}

function operationLine({ type, ...members }: InspectedOperation): string {
  const told = Object.entries(members).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `  ${[type, ...told].map(escapeControls).join('  ')}`;
}

function describeMessage({ store, message, namespace, epoch, writer, signed, entry }: InspectedMessage): string {
  return formatFields([
    ['store', store],
    ['message', message],
    ['namespace', String(namespace)],
    ['epoch', String(epoch)],
    ['writer', writer],
    ['signature', signed ? 'good' : 'NOT by this writer'],
    ['entry', entry && JSON.stringify(entry.key)],
    ['digest', entry?.digest],
    ['size', entry && formatBytes(entry.size)],
    ['parts', entry && formatCount(entry.parts)],
  ]);
}
