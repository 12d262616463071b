/** What an open store holds under an id: the pack, item, object or journal record itself, read and proven. */
import { toHex } from '../../bytes/bytes.ts';
import { decompress } from '../../compress/index.ts';
import { storeError } from '../../errors/store-error.ts';
import { DIGEST_BYTES, decodeManifestNode, identityOf, manifestNodeExtent } from '../../format/index.ts';
import type { ByteSource } from '../../maintenance/inspect/byte-source.ts';
import { Findings } from '../../maintenance/inspect/findings.ts';
import { describeItem, inspectPack, openItems } from '../../maintenance/inspect/inspect-pack.ts';
import { inspectRecord } from '../../maintenance/inspect/inspect-record.ts';
import type {
  InspectBlobOptions,
  InspectedKind,
  InspectedManifest,
  InspectedPlace,
  Inspection,
} from '../../maintenance/inspect/report.ts';
import { listJournalPacks, readJournalPack } from '../../maintenance/journal-reader.ts';
import type { ItemLocation, PackRow } from '../../metadata/contract.ts';
import type { ItemKind } from '../../pipeline/item-reader.ts';
import type { Engine } from '../engine.ts';
import { checkLimit } from '../inspect-file.ts';
import { storeIdOf } from '../location.ts';
import type { FoundObject } from '../objects/object-reader.ts';
import { findId } from './find-id.ts';

type Told = Omit<Inspection, 'kind' | 'outcome' | 'problems' | 'problemCount' | 'locked' | 'path'>;

/** @throws as `findId`; `unavailable/*` where what is asked for lies on a backend that cannot be reached */
export async function inspectId(engine: Engine, text: unknown, options: InspectBlobOptions): Promise<Inspection> {
  const { signal } = options;
  const findings = new Findings({ keys: engine.keychain, limit: checkLimit(options.limit), signal });
  const found = await findId(engine, text);
  switch (found.type) {
    case 'pack':
      return finished('pack', findings, await tellPack(engine, found.row, findings));
    case 'object':
      return finished('object', findings, tellObject(found.object));
    case 'journal':
      return finished('journal record', findings, await tellRecord(engine, found.commit, findings));
    default: {
      const kind = found.type === 'chunk' ? 'chunk' : 'manifest node';
      return finished(kind, findings, await tellItem(engine, found, findings));
    }
  }
}

function finished(kind: InspectedKind, findings: Findings, told: Told): Inspection {
  return Object.freeze({ kind, ...findings.verdict(), ...told });
}

async function tellPack(engine: Engine, row: PackRow, findings: Findings): Promise<Told> {
  const { stripe, places } = row;
  const pack = await inspectPack(packSource(engine, row), findings, { store: storeIdOf(engine.config), pack: row.id });
  const backends = places?.map((place) => engine.connection.backends.find(place)?.facts.name ?? null);
  const shards = { id: toHex(stripe.id), k: stripe.k, m: stripe.m, ...(backends && { backends }) };
  return { bytes: row.packBytes, pack: { ...pack, stripe: shards } };
}

/** Every block is proven before it is used, and what damaged shards hold is made anew from others. */
function packSource({ packs }: Engine, row: PackRow): ByteSource {
  const read = async (offset: number, wanted: number): Promise<Uint8Array> => {
    const length = Math.max(0, Math.min(wanted, row.packBytes - offset));
    const bytes = await packs.read(row, { offset, length }, { verified: true });
    if (bytes) return bytes;
    const packId = toHex(row.id);
    throw storeError('SHARD_MISSING', `no shard of pack ${packId} is there`, { details: { packId } });
  };
  return { bytes: row.packBytes, read };
}

async function tellItem(
  engine: Engine,
  { type, id }: { readonly type: ItemKind; readonly id: Uint8Array },
  findings: Findings,
): Promise<Told> {
  const [location] = await engine.metadata.locate(type, id);
  if (location === undefined) throw notFound(toHex(id));
  const bytes = await findings.part(type, () => readItem(engine, { type, id, location }, findings));
  const manifest =
    type === 'manifest' && bytes ? await findings.part(type, () => tellManifest(bytes, findings)) : undefined;
  return { bytes: location.length, place: placeOf(location, id), ...(manifest && { manifest }) };
}

async function readItem(
  engine: Engine,
  item: { readonly type: ItemKind; readonly id: Uint8Array; readonly location: ItemLocation },
  findings: Findings,
): Promise<Uint8Array> {
  const { location, id } = item;
  const { pack, outbox, inner, length } = location;
  const plain = pack
    ? await openItems(
        {
          source: packSource(engine, pack),
          identity: await identityOf(storeIdOf(engine.config), pack, engine.keychain),
          items: [{ ...location, id }],
        },
        findings,
      )
    : await decompress(location.codec, outbox.bytes, location.plainLength);
  return plain.subarray(inner, inner + length);
}

function placeOf(location: ItemLocation, id: Uint8Array): InspectedPlace {
  return {
    ...(location.pack && { pack: toHex(location.pack.id) }),
    item: describeItem({ ...location, id }),
    ...(location.suspect && { suspect: true }),
    ...(location.condemned && { condemned: true }),
  };
}

function tellManifest(bytes: Uint8Array, { limit }: Findings): InspectedManifest {
  const node = decodeManifestNode(bytes);
  if (node.type === 'inner') {
    const children = node.children.slice(0, limit);
    return {
      ...{ level: node.level, childCount: node.children.length },
      children: children.map(({ id, bytes: length, chunks }) => ({ id: toHex(id), bytes: length, chunks })),
    };
  }
  const children = node.lengths.slice(0, limit).map((length, at) => ({
    ...{ id: toHex(node.digests.subarray(DIGEST_BYTES * at, DIGEST_BYTES * (at + 1))), bytes: length },
  }));
  return { level: 0, childCount: manifestNodeExtent(node).chunks, children };
}

function tellObject({ reference, row, value }: FoundObject): Told {
  const { size, chunkCount, root, manifest } = value;
  const object = {
    ...{ id: reference.id, type: row.type, size, chunkCount, root: toHex(root) },
    ...('id' in manifest && { manifest: toHex(manifest.id) }),
    stored: new Date(row.stored).toISOString(),
  };
  return { bytes: size, object };
}

async function tellRecord(engine: Engine, commit: number, findings: Findings): Promise<Told> {
  const [pending] = await engine.metadata.outbox(commit - 1, 1);
  if (pending?.commit === commit) {
    const record = await findings.part('journal record', () => inspectRecord(pending.record, findings));
    return { bytes: pending.record.length, place: {}, ...(record && { record }) };
  }
  const names = await listJournalPacks(engine.backend, commit - 1, findings.signal);
  for (const name of names.filter(({ journal }) => journal.firstCommit <= commit)) {
    const pack = await findings.part(`journal pack ${toHex(name.id)}`, () => readJournalPack(engine.packs, name));
    const entry = pack?.entries.find((one) => one.commit === commit);
    if (entry === undefined) continue;
    const record = await findings.part('journal record', () => inspectRecord(entry.record, findings));
    return { bytes: entry.record.length, place: { pack: toHex(name.id) }, ...(record && { record }) };
  }
  // One that is damaged everywhere is told, and is not absent.
  if (findings.verdict().outcome !== 'ok') return { bytes: 0 };
  throw notFound(String(commit));
}

function notFound(id: string): Error {
  return storeError('ID_NOT_FOUND', `the store has nothing of the id or number ${id}`, { details: { digest: id } });
}
