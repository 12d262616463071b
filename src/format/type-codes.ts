import { invariant } from '../errors/store-error.ts';
import { formatUnsupported } from './damage.ts';
import type { HistoryKind, ObjectType, PackClass, RecordKind } from './types.ts';

/** The numbers that stand for names in the layouts. Only ever added to. */
export const PACK_CLASS_CODES: Readonly<Record<PackClass, number>> = { data: 1, meta: 2, journal: 3, checkpoint: 4 };
export const RECORD_KIND_CODES: Readonly<Record<RecordKind, number>> = {
  chunk: 1,
  manifest: 2,
  journal: 3,
  checkpoint: 4,
};

export const OBJECT_TYPE_CODES: Readonly<Record<ObjectType, number>> = { blob: 1, bundle: 2, tree: 3, snapshot: 4 };
export const HISTORY_CODES: Readonly<Record<HistoryKind, number>> = { version: 1, move: 2 };

const CLASSES = new Map(Object.entries(PACK_CLASS_CODES).map(([name, code]) => [code, name as PackClass]));
const KINDS = new Map(Object.entries(RECORD_KIND_CODES).map(([name, code]) => [code, name as RecordKind]));

export function packClassCode(name: PackClass): number {
  const code = PACK_CLASS_CODES[name];
  invariant(Number.isInteger(code), 'a pack has a known class');
  return code;
}

/** @throws `unsupported/FORMAT_UNSUPPORTED` for a code of a later version */
export function packClassOf(code: number): PackClass {
  const name = CLASSES.get(code);
  if (name === undefined) throw formatUnsupported('pack', `class ${code}`);
  return name;
}

export function recordKindCode(name: RecordKind): number {
  const code = RECORD_KIND_CODES[name];
  invariant(Number.isInteger(code), 'a record has a known kind');
  return code;
}

/** @throws `unsupported/FORMAT_UNSUPPORTED` for a code of a later version */
export function recordKindOf(code: number): RecordKind {
  const name = KINDS.get(code);
  if (name === undefined) throw formatUnsupported('record', `kind ${code}`);
  return name;
}
