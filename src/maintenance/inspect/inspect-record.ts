/** Journal records and their operations as plain data. */
import { toHex, utf8Decode } from '../../bytes/bytes.ts';
import { EnvelopeOpener } from '../../crypto/envelope.ts';
import {
  decodeEntryRow,
  decodeJournalRecord,
  type EntryValue,
  journalRecordDigest,
  type Operation,
  openIsolatedEntry,
  openOperation,
  type PackDescriptor,
  parseObjectKey,
  unscopeKey,
} from '../../format/index.ts';
import type { Findings } from './findings.ts';
import type { InspectedOperation, InspectedRecord } from './report.ts';

/**
 * A journal record with its operations, those of namespaces opened where the keys are at hand.
 * @throws `corrupt/JOURNAL_CORRUPT`, `unsupported/*`
 */
export async function inspectRecord(bytes: Uint8Array, findings: Findings): Promise<InspectedRecord> {
  const record = decodeJournalRecord(bytes);
  const operations: InspectedOperation[] = [];
  for (const operation of record.operations.slice(0, findings.limit)) {
    operations.push(await inspectOperation(operation, findings));
  }
  return {
    commit: record.commit,
    time: isoTime(record.time),
    incarnation: toHex(record.incarnation),
    previous: toHex(record.previous),
    digest: toHex(journalRecordDigest(bytes)),
    operationCount: record.operations.length,
    operations: Object.freeze(operations),
  };
}

async function inspectOperation(operation: Operation, findings: Findings): Promise<InspectedOperation> {
  if (operation.type !== 'scoped') return await describeOperation(operation, findings);
  const { namespace, sealed } = operation;
  const { keys } = findings;
  const opened =
    keys &&
    (await findings.part('scoped operation', () =>
      keys.using(namespace, () =>
        openOperation(operation, new EnvelopeOpener(keys.keyring.schedule.operationKey(namespace))),
      ),
    ));
  if (opened) return await describeOperation(opened, findings);
  return { type: 'scoped', namespace, sealedBytes: sealed.length };
}

async function describeOperation(operation: Operation, findings: Findings): Promise<InspectedOperation> {
  const { type } = operation;
  switch (operation.type) {
    case 'incarnation':
      return { type, previous: operation.previous ? toHex(operation.previous) : null };
    case 'entry-put': {
      const entry = await describeEntry(operation.entry, findings);
      return { type, ...keyOf(operation.key), entry, modified: isoTime(operation.modified) };
    }
    case 'entry-rename':
      return { type, ...keyOf(operation.from, 'from'), ...keyOf(operation.to, 'to') };
    case 'entry-copy': {
      const modified = isoTime(operation.modified);
      return { type, ...keyOf(operation.from, 'from'), ...keyOf(operation.to, 'to'), modified };
    }
    case 'entry-delete':
    case 'family-delete':
      return { type, ...keyOf(operation.key) };
    case 'version-keep':
      return { type, ...keyOf(operation.key), first: operation.first };
    case 'relation-set':
      return { type, ...keyOf(operation.child, 'child'), parent: null, ...keyOf(operation.parent, 'parent') };
    case 'object-put': {
      const entry = await describeEntry(operation.entry, findings);
      return { type, ...objectOf(operation.key), objectType: operation.objectType, entry };
    }
    case 'object-remove':
      return { type, ...objectOf(operation.key) };
    case 'ref-set': {
      const { object = null } = operation.target ? objectOf(operation.target) : {};
      return { type, ...keyOf(operation.key), object, message: operation.message };
    }
    case 'history-forget':
      return { type, history: operation.history, ...keyOf(operation.key), numbers: operation.numbers };
    default:
      return describePackOperation(operation, findings.limit);
  }
}

/** Operations that name packs, items or namespaces and no keys. */
function describePackOperation(
  operation: Extract<
    Operation,
    { type: 'pack-add' | 'pack-merge' | 'items-remove' | 'namespace-drop' | 'policy-set' | 'scoped' }
  >,
  limit: number,
): InspectedOperation {
  const { type } = operation;
  switch (operation.type) {
    case 'pack-add':
      return { type, pack: describePack(operation.pack) };
    case 'pack-merge':
      return {
        type,
        added: operation.added.slice(0, limit).map(describePack),
        ...idsOf('dropped', operation.dropped, limit),
        ...idsOf('stale', operation.stale, limit),
      };
    case 'items-remove':
      return { type, ...idsOf('chunks', operation.chunks, limit), ...idsOf('nodes', operation.nodes, limit) };
    case 'policy-set':
      return { type, namespace: operation.namespace, policy: operation.policy ?? null };
    case 'namespace-drop':
    case 'scoped':
      return { type, namespace: operation.namespace };
  }
}

function idsOf(name: string, ids: readonly Uint8Array[], limit: number): Readonly<Record<string, unknown>> {
  return { [name]: ids.slice(0, limit).map(toHex), [`${name}Count`]: ids.length };
}

/** A scoped key as text, with its namespace where that is not the default one. */
function keyOf(scoped: Uint8Array | undefined, name = 'key'): Readonly<Record<string, unknown>> {
  if (scoped === undefined) return {};
  const { namespace, key } = unscopeKey(scoped);
  return { [name]: utf8Decode(key), ...(namespace !== 0 && { namespace }) };
}

function objectOf(key: Uint8Array): { readonly object?: string; readonly namespace?: number } {
  const name = parseObjectKey(key);
  if (name === undefined) return {};
  return { object: toHex(name.digest), ...(name.namespace !== 0 && { namespace: name.namespace }) };
}

async function describeEntry(entry: Uint8Array, findings: Findings): Promise<Readonly<Record<string, unknown>>> {
  const row = decodeEntryRow(entry);
  if ('value' in row) return describeValue(row.value);
  const { isolated } = row;
  const { namespace, version, size } = isolated;
  const { keys } = findings;
  const value =
    keys &&
    (await findings.part('isolated entry', () =>
      keys.using(namespace, () => openIsolatedEntry(isolated, keys.keyring.schedule)),
    ));
  return { isolated: namespace, shownVersion: toHex(version), ...(value ? describeValue(value) : { size }) };
}

function describeValue(value: EntryValue): Readonly<Record<string, unknown>> {
  const { digest, size, chunkCount, root, manifest, contentType, attributes, parent } = value;
  return {
    ...{ digest: toHex(digest), size, chunkCount, root: toHex(root) },
    ...('id' in manifest && { manifest: toHex(manifest.id) }),
    ...(contentType !== undefined && { contentType }),
    attributes,
    ...(parent && { parent: toHex(parent) }),
  };
}

function describePack(pack: PackDescriptor): Readonly<Record<string, unknown>> {
  const { id, class: packClass, packBytes, storedBytes, stripe, journal, seal } = pack;
  return {
    ...{ id: toHex(id), class: packClass, packBytes, storedBytes },
    stripe: { id: toHex(stripe.id), k: stripe.k, m: stripe.m },
    ...(journal && { journal: { ...journal, incarnation: toHex(journal.incarnation) } }),
    ...(seal && { seal: { ...seal, salt: toHex(seal.salt) } }),
  };
}

function isoTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? String(milliseconds) : time.toISOString();
}
