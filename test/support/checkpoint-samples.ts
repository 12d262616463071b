/** A checkpoint with a row or more of every table, as it goes into a pack: of a plain store, and of a sealed one. */
import { utf8Encode } from '../../src/bytes/bytes.ts';
import { EnvelopeSealer } from '../../src/crypto/envelope.ts';
import { type CheckpointPage, encodeCheckpointHead, encodeCheckpointPage } from '../../src/format/checkpoint.ts';
import { encodeEntry } from '../../src/format/entry.ts';
import {
  encodeObjectKey,
  type FinishedPack,
  PackBuilder,
  type PackHeader,
  type PackRecord,
  scopeKey,
} from '../../src/format/index.ts';
import { blake3 } from '../../src/hash/index.ts';
import { encodeMoveStep, encodeVersionStep } from '../../src/metadata/history-steps.ts';
import {
  DATA_DESCRIPTOR,
  EMPTY_ENTRY,
  FULL_ENTRY,
  itemsOf,
  JOURNAL_DESCRIPTOR,
  packHeader,
  patternBytes,
} from './format-samples.ts';
import { buildSealed, countingRandom, ISOLATED, sampleSchedule, sealedHeader, TENANT } from './sealed-samples.ts';

/** Pages of one namespace; the others of the tables that have keys hold the same in it. */
export function samplePages(namespace: number): readonly CheckpointPage[] {
  const key = (name: string): Uint8Array => scopeKey(namespace, utf8Encode(name));
  const target = encodeObjectKey({ namespace, objectClass: 'structured', digest: patternBytes(32, 90) });
  const [full, empty] = [encodeEntry(FULL_ENTRY), encodeEntry(EMPTY_ENTRY)];
  const row = { key: key('a'), version: patternBytes(32, 91), size: 0, entry: empty, created: 1, modified: 2 };
  const item = { id: patternBytes(32, 92), pack: 1, ordinal: 3, commit: 12 };
  const move = { from: undefined, to: target, message: 'why' };
  return [
    {
      table: 'items',
      namespace,
      rows: [
        { kind: 'chunk', ...item },
        { kind: 'manifest', ...item, pack: 0, ordinal: 0 },
      ],
    },
    {
      table: 'entries',
      namespace,
      rows: [{ key: key('docs/report.pdf'), entry: full, created: 1000, modified: 2000 }],
    },
    { table: 'objects', namespace, rows: [{ key: target, type: 'tree', entry: empty, stored: 3000 }] },
    { table: 'refs', namespace, rows: [{ key: key('main'), target, moved: 4000 }] },
    {
      table: 'histories',
      namespace,
      rows: [
        { kind: 'version', key: key('a'), first: 3, last: 9, steps: 1 },
        { kind: 'move', key: key('main'), first: 1, last: 1, steps: 1 },
      ],
    },
    {
      table: 'steps',
      namespace,
      rows: [
        { kind: 'version', key: key('a'), number: 9, time: 5000, value: encodeVersionStep(row) },
        { kind: 'move', key: key('main'), number: 1, time: 4000, value: encodeMoveStep(move) },
      ],
    },
    { table: 'relations', namespace, rows: [{ child: key('b'), parent: key('a') }] },
  ];
}

const PACKS = { table: 'packs', namespace: 0, rows: [DATA_DESCRIPTOR, JOURNAL_DESCRIPTOR] } as const;
const POLICIES = {
  table: 'policies',
  namespace: 0,
  rows: [{ namespace: 0, policy: { last: 0, forMs: 86_400_000 } }],
} as const;
const SHREDS = { table: 'shreds', namespace: 0, rows: [{ namespace: ISOLATED }] } as const;

function recordsOf(pages: readonly Uint8Array[], pack: PackHeader, sealed: boolean): readonly PackRecord[] {
  const place = { commit: 300, digest: patternBytes(32, 93), incarnation: patternBytes(16, 94), first: 298 };
  const head = encodeCheckpointHead({ sealed, ...place, pages: pages.map((page) => blake3(page)), packs: [pack.pack] });
  return [...pages, head].map((stored) => ({
    ...{ kind: 'checkpoint', codec: 0, plainLength: stored.length, stored, items: itemsOf(stored) },
  }));
}

/** The pack of a checkpoint of a plain store. */
export function plainCheckpoint(): FinishedPack {
  const header = packHeader('checkpoint', 3);
  const pages = [PACKS, ...samplePages(0), POLICIES].map((page) => encodeCheckpointPage(page, { sealed: false }));
  const builder = new PackBuilder(header);
  for (const record of recordsOf(pages, header, false)) builder.add(record);
  return builder.finish();
}

/** The pack of a checkpoint of a sealed store. */
export function sealedCheckpoint(): FinishedPack {
  const header = sealedHeader('checkpoint', 3);
  const sealer = new EnvelopeSealer(sampleSchedule().operationKey(TENANT), countingRandom(95));
  const pages = [
    ...[PACKS, ...samplePages(0), POLICIES, SHREDS].map((page) => encodeCheckpointPage(page, { sealed: true })),
    ...samplePages(TENANT).map((page) => encodeCheckpointPage(page, { sealed: true, sealer })),
  ];
  return buildSealed(header, recordsOf(pages, header, true));
}
