import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8Decode } from '../../src/bytes/bytes.ts';
import { unscopeKey } from '../../src/format/index.ts';
import type { Change, Metadata } from '../../src/metadata/contract.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { codeOf, expectReplayed, expectSound } from '../compliance/metadata/suite.ts';
import { SAMPLE_STORE } from '../support/format-samples.ts';
import { entryOf } from '../support/metadata-samples.ts';
import { NamedChanges } from '../support/named-changes.ts';
import { TENANT, unlocked } from '../support/sealed-metadata.ts';
import { type NamedChange, NamedModel } from './named-model.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const LABELS = ['one', 'two', 'three', 'four'];
const REFS = ['main', 'a'];

const key = fc.constantFrom(...KEYS);
const label = fc.constantFrom(...LABELS);
const policy = fc.constantFrom({}, { last: 0 }, { last: 1 }, { last: 2 }, { forMs: 0 }, { last: 3, forMs: 1e12 });
const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const numbers = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 });
const of = <const Type extends NamedChange['type']>(type: Type) => fc.constant(type);

/** Puts and relations more often than what takes them away. */
const change: fc.Arbitrary<NamedChange> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      { type: of('put'), key, label, keep: fc.oneof(policy, fc.constant('none' as const)) },
      { requiredKeys: ['type', 'key', 'label'] },
    ),
  },
  { weight: 5, arbitrary: fc.record({ type: of('relate'), child: key, parent: optional(key) }) },
  {
    weight: 2,
    arbitrary: fc.record(
      { type: of('delete'), key, children: fc.constantFrom('release' as const, 'delete' as const) },
      { requiredKeys: ['type', 'key'] },
    ),
  },
  { weight: 3, arbitrary: fc.record({ type: of('rename'), from: key, to: key, replace: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: of('copy'), from: key, to: key, replace: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: of('object'), label, refersTo: fc.array(label, { maxLength: 1 }) }) },
  {
    weight: 3,
    arbitrary: fc.record(
      { type: of('ref'), name: fc.constantFrom(...REFS), label, expected: fc.oneof(label, fc.constant(null)) },
      { requiredKeys: ['type', 'name'] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ type: of('forget'), history: fc.constant('version'), key, numbers }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ type: of('forget'), history: fc.constant('move'), key: fc.constantFrom(...REFS), numbers },
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: of('policy'), policy: optional(policy) }) },
);
const requestsOf = (changes: fc.Arbitrary<NamedChange>) =>
  fc.array(fc.array(changes, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });

function toChange(c: NamedChanges, value: NamedChange): Change {
  switch (value.type) {
    case 'put':
      return c.put(value.key, value.label, value.keep === undefined ? {} : { keep: value.keep });
    case 'delete':
      return c.remove(value.key, value.children === undefined ? {} : { children: value.children });
    case 'rename':
      return c.rename(value.from, value.to, value.replace);
    case 'copy':
      return c.copy(value.from, value.to, value.replace);
    case 'relate':
      return c.relate(value.child, value.parent);
    case 'object':
      return c.object(value.label, { refersTo: value.refersTo });
    case 'ref':
      return c.ref(value.name, value.label, value.expected);
    case 'forget':
      return c.forget(value.history, value.key, value.numbers);
    case 'policy':
      return c.policy(value.policy);
    case 'drop':
      return { type: 'namespace-drop', namespace: c.namespace };
  }
}

/** The metadata under test beside the model of it. */
class NamedWorld {
  readonly metadata: Metadata;
  readonly model = new NamedModel();
  readonly c: NamedChanges;

  constructor(metadata: Metadata, namespace: number) {
    this.metadata = metadata;
    this.c = new NamedChanges(namespace);
  }

  async commit(requests: readonly (readonly NamedChange[])[]): Promise<void> {
    const asked = requests.map((changes) => ({ changes: changes.map((one) => toChange(this.c, one)), inline: [] }));
    const outcomes = await this.metadata.commit(asked);
    expect(outcomes.map(codeOf)).toEqual(this.model.commit(requests));
  }

  async compare(): Promise<void> {
    const { metadata, model, c } = this;
    const { entries, objects, refs, policy: kept } = model.state;
    const rows = await metadata.getEntries(KEYS.map((name) => c.key(name)));
    const meant = KEYS.map((name) => entries.get(name));
    expect(rows.map((row) => row?.entry)).toEqual(meant.map((one) => (one === undefined ? undefined : entryOf(one))));
    const found = await metadata.getObjects(LABELS.map((name) => c.objectKey(name)));
    expect(found.map((row) => row !== undefined)).toEqual(LABELS.map((name) => objects.has(name)));
    expect(await metadata.getPolicy(c.namespace)).toEqual(kept);
    const at = await metadata.getRefs(REFS.map((name) => c.key(name)));
    expect(at.map((row) => this.#labelOf(row?.target))).toEqual(REFS.map((name) => refs.get(name)));
    expect(await metadata.counters()).toMatchObject({ objects: objects.size, refs: refs.size, entries: entries.size });
    await this.#compareHistories();
    for (const name of KEYS) await this.#compareRelations(name);
  }

  #labelOf(target: Uint8Array | undefined): string | undefined {
    return target && LABELS.find((name) => Buffer.compare(this.c.objectKey(name), target) === 0);
  }

  async #compareHistories(): Promise<void> {
    const { metadata, model, c } = this;
    const { version, move } = model.state.histories;
    for (const name of KEYS) {
      const steps = await metadata.getHistory('version', c.key(name), { limit: 99 });
      const held = steps.map(({ number, row }) => [number, row.entry]);
      expect(held).toEqual([...(version.get(name)?.steps ?? [])].map(([n, of]) => [n, entryOf(of)]).toReversed());
    }
    for (const name of REFS) {
      const steps = await metadata.getHistory('move', c.key(name), { limit: 99 });
      const held = steps.map(({ number, from, to }) => [number, `${this.#labelOf(from)}>${this.#labelOf(to)}`]);
      expect(held).toEqual([...(move.get(name)?.steps ?? [])].toReversed());
    }
    for (const kind of ['version', 'move'] as const) {
      const { keys } = await metadata.listHistories(kind, { namespace: c.namespace, limit: 99 });
      expect(this.#names(keys).sort()).toEqual([...model.state.histories[kind].keys()].sort());
    }
  }

  #names(keys: readonly Uint8Array[]): string[] {
    return keys.map((one) => utf8Decode(unscopeKey(one).key));
  }

  async #compareRelations(name: string): Promise<void> {
    const { metadata, model, c } = this;
    const [row] = await metadata.getRelations([c.key(name)]);
    const [parent, children] = [model.state.parents.get(name), model.childrenOf(name)];
    expect(row !== undefined).toBe(parent !== undefined || children.length > 0);
    if (row) expect([row.parent && this.#names([row.parent])[0], row.children]).toEqual([parent, children.length]);
    const names = (found: readonly { readonly key: Uint8Array }[]) => this.#names(found.map((one) => one.key));
    const query = { limit: 99 };
    expect(names(await metadata.childrenOf(c.key(name), query)).sort()).toEqual([...children].sort());
    expect(names(await metadata.ancestorsOf(c.key(name), query))).toEqual(model.ancestorsOf(name));
    const beneath = names(await metadata.descendantsOf(c.key(name), query));
    expect(beneath.sort()).toEqual(model.familyOf(name).slice(1).sort());
  }
}

const MEMORY = { path: ':memory:', storeId: SAMPLE_STORE, create: true, readOnly: false, busyTimeoutMs: 0 };
const DROP: NamedChange = { type: 'drop' };

it.each([
  { kind: 'plain', namespace: 0, open: () => openSqlMetadata(MEMORY), numRuns: 120, changes: change },
  {
    ...{ kind: 'sealed', namespace: TENANT, open: () => unlocked(openSqlMetadata({ ...MEMORY, sealed: true })) },
    ...{
      numRuns: 30,
      changes: fc.oneof({ weight: 40, arbitrary: change }, { weight: 1, arbitrary: fc.constant(DROP) }),
    },
  },
])('$kind metadata names what the model names after any commits, and a replay gives the same', async ({
  namespace,
  open,
  numRuns,
  changes,
}) => {
  await fc.assert(
    fc.asyncProperty(fc.array(requestsOf(changes), { maxLength: 12, size: 'max' }), async (commits) => {
      const opened: Metadata[] = [];
      const openKept = async (): Promise<Metadata> => {
        const metadata = await open();
        opened.push(metadata);
        return metadata;
      };
      const world = new NamedWorld(await openKept(), namespace);
      for (const requests of commits) {
        await world.commit(requests);
        await world.compare();
      }
      await expectSound(world.metadata);
      await expectReplayed(world.metadata, openKept);
      for (const metadata of opened) await metadata.close();
    }),
    { numRuns },
  );
});
