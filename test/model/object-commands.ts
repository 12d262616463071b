/** Commands on objects, refs and snapshots. */
import * as fc from 'fast-check';
import { utf8Encode } from '../../src/bytes/bytes.ts';
import type { Objects } from '../../src/index.ts';
import { type Command, command } from './command.ts';
import { entriesIn, furnishedIn, oneOf, spaceOf } from './entry-commands.ts';
import { DEFAULT_NAMESPACE, type NamespaceModel, type Outcome, type StoreModel } from './store-model.ts';
import type { StoreWorld } from './store-world.ts';

const REFS = ['main', 'side'] as const;
const SNAPSHOTS = 'snapshots';
/** Of no object. */
const NO_ID = '0'.repeat(64);

interface In {
  readonly space: string;
}

const OBJECT_NUMBERS = 3;
const object = fc.record({
  type: fc.constantFrom('blob' as const, 'bundle' as const, 'tree' as const),
  number: fc.nat({ max: OBJECT_NUMBERS - 1 }),
});
type ObjectArgs = typeof object extends fc.Arbitrary<infer T> ? T : never;

/** A tree has one blob of its own number beneath it. */
const refersTo = ({ type, number }: ObjectArgs): readonly string[] => (type === 'tree' ? [`blob ${number}`] : []);

async function putObject(objects: Objects, { type, number }: ObjectArgs, ids: ReadonlyMap<string, string>) {
  if (type === 'blob') return await objects.putBlob(utf8Encode(`the bytes of blob ${number}`));
  if (type === 'bundle') return await objects.putBundle({ number });
  return await objects.putTree([{ type: 'raw', name: 'one', id: ids.get(`blob ${number}`) ?? NO_ID }]);
}

const objectsIn = (model: StoreModel, space: string): NamespaceModel['state']['objects'] =>
  model.namespaces.get(space)?.state.objects ?? new Map();

/** The label of an object by a number that counts those that are there, and one that is not. */
const labelAt = (labels: Iterable<string>, index: number): string => oneOf([...labels, 'nothing'], index) ?? 'nothing';

const idOf = (world: StoreWorld, label: string): string => world.ids.get(label) ?? NO_ID;

interface RefArgs extends In {
  readonly name: string;
  readonly object: number;
  /** Moved only from there: the object of this number, from nowhere (`null`), or from anywhere. */
  readonly expected: number | null | undefined;
}

function expectedIn(labels: Iterable<string>, expected: RefArgs['expected']): string | null | undefined {
  return typeof expected === 'number' ? labelAt(labels, expected) : expected;
}

const refArgs = (kind: Parameters<typeof spaceOf>[0]): fc.Arbitrary<RefArgs> =>
  fc.record({
    space: spaceOf(kind),
    name: fc.constantFrom(...REFS),
    object: fc.nat({ max: 5 }),
    expected: fc.oneof(fc.constantFrom(undefined, undefined, null), fc.nat({ max: 5 })),
  });

function refOptions(world: StoreWorld, { space, expected }: RefArgs) {
  const label = expectedIn(objectsIn(world.model, space).keys(), expected);
  return label === undefined ? {} : { expected: label === null ? null : idOf(world, label) };
}

/** Objects that are named must be there, whatever the ref names. */
function movedRef(
  model: StoreModel,
  move: Pick<RefArgs, 'space' | 'name' | 'expected'> & {
    readonly to: (labels: readonly string[]) => string | undefined;
  },
): Outcome {
  return model.in(move.space, (found) => {
    const labels = [...found.state.objects.keys()];
    const [label, expected] = [move.to(labels), expectedIn(labels, move.expected)];
    if ([label, expected].some((one) => typeof one === 'string' && !labels.includes(one))) return 'OBJECT_NOT_FOUND';
    return found.change({
      type: 'ref',
      name: move.name,
      ...(label && { label }),
      ...(expected !== undefined && { expected }),
    });
  });
}

interface Thaw extends In {
  readonly index: number;
}

/** A snapshot by its number: of a namespace that has some, as far as any has. */
function snapshotIn(model: StoreModel, { space, index }: Thaw): { readonly space: string; readonly label: string } {
  const at = (model.namespaces.get(space)?.frozen.size ?? 0) > 0 ? space : DEFAULT_NAMESPACE;
  return { space: at, label: oneOf(model.namespaces.get(at)?.frozen.keys() ?? [], index) ?? '' };
}

export const OBJECT_COMMANDS = {
  'put object': command<In & ObjectArgs, string>({
    args: (kind) => fc.tuple(fc.record({ space: spaceOf(kind) }), object).map(([at, one]) => ({ ...at, ...one })),
    run: async (world, args) => {
      const { id } = await putObject(world.entries(args.space).objects, args, world.ids);
      world.ids.set(`${args.type} ${args.number}`, id);
      return id;
    },
    effect: (model, args) =>
      model.change(args.space, {
        ...{ type: 'object', label: `${args.type} ${args.number}`, refersTo: refersTo(args) },
      }),
  }),
  'set ref': command<RefArgs, unknown>({
    args: refArgs,
    run: (world, args) => {
      const label = labelAt(objectsIn(world.model, args.space).keys(), args.object);
      return world.entries(args.space).refs.set(args.name, idOf(world, label), refOptions(world, args));
    },
    effect: (model, { space, name, object: index, expected }) =>
      movedRef(model, { space, name, expected, to: (labels) => labelAt(labels, index) }),
  }),
  'delete ref': command<RefArgs, unknown>({
    args: refArgs,
    run: (world, args) => world.entries(args.space).refs.delete(args.name, refOptions(world, args)),
    effect: (model, { space, name, expected }) => movedRef(model, { space, name, expected, to: () => undefined }),
  }),
  'forget moves': command<In & { readonly name: string; readonly numbers: readonly number[] }, unknown>({
    args: (kind) =>
      fc.record({
        ...{ space: spaceOf(kind), name: fc.constantFrom(...REFS, SNAPSHOTS) },
        numbers: fc.subarray([1, 2, 3], { minLength: 1 }),
      }),
    run: (world, { space, name, numbers }) => world.entries(space).refs.forget(name, numbers),
    effect: (model, { space, name, numbers }) =>
      model.change(space, { type: 'forget', history: 'move', key: name, numbers }),
  }),
  snapshot: command<In & { readonly named: boolean }, string>({
    args: (kind) => fc.record({ space: spaceOf(kind), named: fc.boolean() }),
    ready: (model, { space }) => entriesIn(model, furnishedIn(model, space)).size > 0,
    run: async (world, { space, named }) => {
      const { snapshots } = world.entries(furnishedIn(world.model, space));
      const { id } = await snapshots.create({ prefix: '' }, named ? { ref: SNAPSHOTS } : {});
      world.ids.set(`snapshot ${id}`, id);
      return id;
    },
    effect: (model, { space, named }, id) => {
      const label = `snapshot ${id}`;
      return model.in(furnishedIn(model, space), (found) => {
        found.frozen.set(label, found.freeze());
        const put = { type: 'object', label, refersTo: [] } as const;
        return found.change(put, ...(named ? [{ type: 'ref', name: SNAPSHOTS, label } as const] : []));
      });
    },
  }),
  thaw: command<Thaw, unknown>({
    args: (kind) => fc.record({ space: spaceOf(kind), index: fc.nat({ max: 5 }) }),
    // What a quota lets through of it depends on the order.
    ready: (model, args) => {
      const { space, label } = snapshotIn(model, args);
      return label !== '' && model.namespaces.get(space)?.quotaBytes === undefined;
    },
    run: (world, args) => {
      const { space, label } = snapshotIn(world.model, args);
      return world.entries(space).snapshots.thaw(idOf(world, label), { overwrite: 'changed', delete: true });
    },
    effect: (model, args) => {
      const { space, label } = snapshotIn(model, args);
      return model.in(space, (found) => found.thaw(label));
    },
  }),
} as const satisfies Record<string, Command>;
