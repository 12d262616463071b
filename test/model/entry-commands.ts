/** Commands on entries, their versions and relations. Values are biased to what has gone wrong. */
import * as fc from 'fast-check';
import type { BatchWriter, DeleteOptions, Entries, PutOptions } from '../../src/index.ts';
import { bytesOf } from '../support/operations.ts';
import { optionsOf } from '../support/run-operation.ts';
import { type Command, command } from './command.ts';
import type { ModelPolicy, NamedChange, OnlyIf } from './named-model.ts';
import { DEFAULT_NAMESPACE, labelOf, type StoreModel, valueIn } from './store-model.ts';
import type { Kind } from './store-world.ts';

export const KEYS = ['a', 'b', 'c', 'd/e', 'é'] as const;
const STALE = '00'.repeat(32);

export type EntryChange = Extract<NamedChange, { readonly type: 'put' | 'delete' | 'rename' | 'copy' | 'relate' }>;
type Put = Extract<EntryChange, { readonly type: 'put' }>;
type Delete = Extract<EntryChange, { readonly type: 'delete' }>;
type Move = Extract<EntryChange, { readonly type: 'rename' | 'copy' }>;
type Relate = Extract<EntryChange, { readonly type: 'relate' }>;

interface In {
  readonly space: string;
}

/** Of a store that has only one: the default. */
export function spaceOf(kind: Kind): fc.Arbitrary<string> {
  if (kind !== 'sealed') return fc.constant(DEFAULT_NAMESPACE);
  return fc.constantFrom(DEFAULT_NAMESPACE, DEFAULT_NAMESPACE, 'x', 'x', 'y');
}

/** The namespace of this name, or the default one where there is no such. */
export function spaceIn(model: StoreModel, space: string): string {
  return model.namespaces.has(space) ? space : DEFAULT_NAMESPACE;
}

/** This namespace where it has entries, or else another one that has. */
export function furnishedIn(model: StoreModel, space: string): string {
  const hasEntries = (name: string): boolean => entriesIn(model, name).size > 0;
  return [space, ...model.namespaces.keys()].find(hasEntries) ?? DEFAULT_NAMESPACE;
}

export function entriesIn(model: StoreModel, space: string): ReadonlyMap<string, string> {
  return model.namespaces.get(space)?.state.entries ?? new Map();
}

/** One of so many, counted from any number. */
export function oneOf<T>(all: Iterable<T>, index: number): T | undefined {
  const list = [...all];
  return list[index % Math.max(1, list.length)];
}

const key = fc.constantFrom(...KEYS);
/** Around the smallest chunk, around the most that rides in a commit, and several chunks. */
const bytes = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(0, 1, 300, 3000) },
  { weight: 2, arbitrary: fc.constantFrom(4095, 4096, 4097) },
  { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 65_537, 90_000) },
);
const keep = fc.constantFrom<(ModelPolicy | 'none' | undefined)[]>(undefined, undefined, 'none', {}, { last: 1 });
const only = fc.constantFrom<OnlyIf[]>('absent', 'present', 'stale');
/** In a batch a condition on what is there would need a look into its own changes. */
const onlyUnseen = fc.constantFrom<OnlyIf[]>('absent', 'stale');

function labelIn(kind: Kind): fc.Arbitrary<string> {
  const isolated = kind === 'sealed' ? fc.constantFrom(false, false, false, true) : fc.constant(false);
  const note = fc.constantFrom('', '', 'n');
  // Few seeds, so that content is found again.
  return fc.record({ bytes, seed: fc.integer({ min: 1, max: 3 }), noise: fc.boolean(), isolated, note }).map(labelOf);
}

function putIn(kind: Kind): fc.Arbitrary<Put> {
  return fc.record({ type: fc.constant('put' as const), key, label: labelIn(kind), keep });
}

const deleting: fc.Arbitrary<Delete> = fc.record({
  type: fc.constant('delete' as const),
  key,
  children: fc.constantFrom(undefined, 'release' as const, 'delete' as const),
});

function moving<Type extends Move['type']>(type: Type): fc.Arbitrary<Move> {
  return fc.record({ type: fc.constant(type), from: key, to: key, replace: fc.boolean() });
}

const relating: fc.Arbitrary<Relate> = fc.record({ type: fc.constant('relate' as const), child: key, parent: key });

export function changeIn(kind: Kind): fc.Arbitrary<EntryChange> {
  return fc.oneof(
    { weight: 4, arbitrary: putIn(kind) },
    {
      weight: 1,
      arbitrary: fc.tuple(putIn(kind), onlyUnseen).map(([put, condition]) => ({ ...put, only: condition })),
    },
    { weight: 1, arbitrary: deleting },
    { weight: 1, arbitrary: fc.oneof(moving('rename'), moving('copy')) },
    { weight: 1, arbitrary: relating },
  );
}

/** What a put of a value says beside its bytes. */
function putOptions({ label, keep: kept }: Put): PutOptions {
  const value = valueIn(label);
  return {
    ...optionsOf(value),
    ...(value.note !== '' && { attributes: { note: value.note } }),
    ...(kept !== undefined && { keepVersions: kept }),
  };
}

/** The condition of a change, as an option of the call. */
async function conditionOf(entries: Entries, { key: at, only: condition }: Put | Delete) {
  if (condition === 'absent') return { ifAbsent: true };
  if (condition === 'stale') return { ifMatch: STALE };
  if (condition === undefined) return {};
  return { ifMatch: (await entries.has(at)) ? (await entries.stat(at)).version : STALE };
}

const childrenOption = ({ children }: Delete): DeleteOptions => (children === undefined ? {} : { children });

export async function runChange(entries: Entries, change: EntryChange): Promise<unknown> {
  switch (change.type) {
    case 'put':
      return await entries.put(change.key, bytesOf(valueIn(change.label)), {
        ...(await conditionOf(entries, change)),
        ...putOptions(change),
      });
    case 'delete':
      return await entries.delete(change.key, { ...(await conditionOf(entries, change)), ...childrenOption(change) });
    case 'relate':
      if (change.parent === undefined) return await entries.relations.remove(change.child);
      return await entries.relations.set(change.child, change.parent);
    default:
      return await entries[change.type](change.from, change.to, { replace: change.replace });
  }
}

async function runInBatch(writer: BatchWriter, change: EntryChange): Promise<void> {
  const condition = 'only' in change && change.only === 'stale' ? { ifMatch: STALE } : {};
  if (change.type === 'put') {
    const options = { ...putOptions(change), ...condition, ...(change.only === 'absent' && { ifAbsent: true }) };
    await writer.put(change.key, bytesOf(valueIn(change.label)), options);
  } else if (change.type === 'delete') writer.delete(change.key, { ...condition, ...childrenOption(change) });
  else if (change.type === 'relate') writer.relate(change.child, change.parent ?? null);
  else writer[change.type](change.from, change.to, { replace: change.replace });
}

/** A command that makes one change. */
function changing<Change extends EntryChange>(change: (kind: Kind) => fc.Arbitrary<Change>): Command {
  return command<In & { readonly change: Change }, unknown>({
    args: (kind) => fc.record({ space: spaceOf(kind), change: change(kind) }),
    run: (world, args) => runChange(world.entries(args.space), args.change),
    effect: (model, args) => model.change(args.space, args.change),
  });
}

/** An entry that is there, by a number. */
interface Existing extends In {
  readonly index: number;
}

function existingIn(model: StoreModel, { space, index }: Existing): { readonly space: string; readonly key: string } {
  const at = furnishedIn(model, space);
  return { space: at, key: oneOf(entriesIn(model, at).keys(), index) ?? '' };
}

const isThere = (model: StoreModel, args: Existing): boolean => existingIn(model, args).key !== '';

const gaveUp = new Error('changed my mind');

/** All in one batch. @param throws after they were made */
export async function runChanges(entries: Entries, changes: readonly EntryChange[], throws = false): Promise<void> {
  const work = entries.batch(async (writer) => {
    for (const change of changes) await runInBatch(writer, change);
    if (throws) throw gaveUp;
  });
  await work.catch((error: unknown) => {
    if (error !== gaveUp) throw error;
  });
}

/** What a range of a content is, as parts of it. */
async function rangeOf(entries: Entries, at: string, part: { readonly from: number; readonly to: number }) {
  const { size } = await entries.stat(at);
  const [offset, end] = [Math.floor(size * part.from), Math.floor(size * Math.max(part.from, part.to))];
  const pieces = await Array.fromAsync(entries.read(at, { offset, length: end - offset }));
  return { offset, end, found: Buffer.concat(pieces) };
}

export const ENTRY_COMMANDS = {
  put: changing(putIn),
  overwrite: command<Existing & { readonly put: Put }, unknown>({
    args: (kind) => fc.record({ space: spaceOf(kind), index: fc.nat({ max: 4 }), put: putIn(kind) }),
    ready: isThere,
    run: (world, args) => {
      const { space, key: at } = existingIn(world.model, args);
      return runChange(world.entries(space), { ...args.put, key: at });
    },
    effect: (model, args) => {
      const { space, key: at } = existingIn(model, args);
      return model.change(space, { ...args.put, key: at });
    },
  }),
  'put if': changing((kind) => fc.tuple(putIn(kind), only).map(([put, condition]) => ({ ...put, only: condition }))),
  delete: changing(() => deleting),
  'delete if': changing(() => deleting.map((change) => ({ ...change, only: 'present' as const }))),
  rename: changing(() => moving('rename')),
  copy: changing(() => moving('copy')),
  relate: changing(() => relating),
  unrelate: changing(() => relating.map((change) => ({ ...change, parent: undefined }))),
  read: command<Existing & { readonly from: number; readonly to: number }, Awaited<ReturnType<typeof rangeOf>>>({
    args: (kind) => {
      const part = fc.constantFrom(0, 0.1, 0.5, 0.999, 1);
      return fc.record({ space: spaceOf(kind), index: fc.nat({ max: 4 }), from: part, to: part });
    },
    ready: isThere,
    run: (world, args) => {
      const { space, key: at } = existingIn(world.model, args);
      return rangeOf(world.entries(space), at, args);
    },
    effect: (model, args, { offset, end, found }) => {
      const { space, key: at } = existingIn(model, args);
      const wanted = bytesOf(valueIn(entriesIn(model, space).get(at) ?? ''));
      return found.equals(wanted.subarray(offset, end)) ? 'ok' : 'other bytes';
    },
  }),
  batch: command<In & { readonly changes: readonly EntryChange[]; readonly throws: boolean }, unknown>({
    args: (kind) =>
      fc.record({
        space: spaceOf(kind),
        changes: fc.array(changeIn(kind), { minLength: 1, maxLength: 4 }),
        throws: fc.constantFrom(false, false, false, true),
      }),
    run: (world, { space, changes, throws }) => runChanges(world.entries(spaceIn(world.model, space)), changes, throws),
    effect: (model, { space, changes, throws }) => (throws ? 'ok' : model.change(spaceIn(model, space), ...changes)),
  }),
  policy: command<In & { readonly policy: ModelPolicy | undefined }, unknown>({
    args: (kind) =>
      fc.record({ space: spaceOf(kind), policy: fc.constantFrom(undefined, {}, { last: 1 }, { last: 2 }) }),
    run: (world, { space, policy }) => world.entries(space).versions.setPolicy(policy ?? 'inherit'),
    effect: (model, { space, policy }) => model.change(space, { type: 'policy', policy }),
  }),
  restore: command<In & { readonly key: string; readonly number: number }, unknown>({
    args: (kind) => fc.record({ space: spaceOf(kind), key, number: fc.integer({ min: 1, max: 3 }) }),
    run: (world, { space, key: at, number }) => world.entries(space).versions.restore(at, { number }),
    effect: (model, { space, key: at, number }) => model.in(space, (found) => found.restore(at, number)),
  }),
  'forget versions': command<In & { readonly key: string; readonly numbers: readonly number[] }, unknown>({
    args: (kind) => fc.record({ space: spaceOf(kind), key, numbers: fc.subarray([1, 2, 3, 4], { minLength: 1 }) }),
    run: (world, { space, key: at, numbers }) => world.entries(space).versions.forget(at, { numbers }),
    effect: (model, { space, key: at, numbers }) =>
      model.change(space, { type: 'forget', history: 'version', key: at, numbers }),
  }),
} as const satisfies Record<string, Command>;
