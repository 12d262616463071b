/** What the steps of histories hold: a value an entry had, or a move of a ref. Deterministic CBOR. */
import { decodeCbor, encodeCbor } from '../format/cbor.ts';
import { failWith } from '../format/damage.ts';
import { Fields } from '../format/fields.ts';
import type { HistoryKind } from '../format/types.ts';
import type { EntryRow } from './contract.ts';
import { factsOfEntry } from './entry-facts.ts';
import type { MoveRow, StepOf } from './object-contract.ts';
import { parseHistoryKey, type StepRow } from './object-rows.ts';

const STEP_VERSION = 1;
const NUMBER_BYTES = 8;
const ANY_BYTES = { min: 1, max: 2 ** 31 } as const;

/** The value of a step that keeps what an entry was. */
export function encodeVersionStep({ entry, created, modified }: EntryRow): Uint8Array {
  return encodeCbor([STEP_VERSION, entry, created, modified]);
}

/** The value of a step of a ref. */
export function encodeMoveStep({ from, to, message }: Pick<MoveRow, 'from' | 'to' | 'message'>): Uint8Array {
  return encodeCbor([STEP_VERSION, from ?? null, to ?? null, message]);
}

/** The number of a step, and the key of its history. */
export function placeOfStep({ key }: StepRow): { readonly history: Uint8Array; readonly number: number } {
  const number = new DataView(key.buffer, key.byteOffset, key.length).getBigUint64(key.length - NUMBER_BYTES);
  return { history: key.subarray(0, -NUMBER_BYTES), number: Number(number) };
}

/** @throws `corrupt/METADATA_CORRUPT` */
export function decodeStep<Kind extends HistoryKind>(kind: Kind, step: StepRow): StepOf<Kind> {
  const fail = failWith('METADATA_CORRUPT', 'a step of a history', { table: 'steps' });
  const { history, number } = placeOfStep(step);
  const fields = new Fields(decodeCbor(step.value, fail), fail);
  fields.version('step', STEP_VERSION);
  const found = { number, time: step.time };
  if (kind === 'version') {
    const entry = fields.bytesBetween('entry', ANY_BYTES);
    const times = { created: fields.integer('created'), modified: fields.integer('modified') };
    fields.end();
    const { version, size } = factsOfEntry(entry);
    const row: EntryRow = { key: parseHistoryKey(history).key, version, size, entry, ...times };
    return { kind, ...found, row } as unknown as StepOf<Kind>;
  }
  const from = fields.nullable('from', () => fields.bytesBetween('from', ANY_BYTES));
  const to = fields.nullable('to', () => fields.bytesBetween('to', ANY_BYTES));
  const message = fields.any('message');
  fields.end();
  if (typeof message !== 'string') return fail('has a message that is no text');
  return { kind, ...found, from, to, message } as unknown as StepOf<Kind>;
}
