import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { concatBytes, equalBytes, toHex, utf8Decode, utf8Encode } from '../../src/bytes/bytes.ts';
import { decodeEntry, entryVersion } from '../../src/format/index.ts';
import type { Change, FlushedJournal, Metadata } from '../../src/metadata/contract.ts';
import { openSqlMetadata } from '../../src/metadata/open-sqlite.ts';
import { codeOf, expectSound } from '../compliance/metadata/suite.ts';
import { SAMPLE_STORE } from '../support/format-samples.ts';
import {
  copy,
  entryOf,
  idOf,
  inlineOf,
  packAdd,
  packMerge,
  put,
  remove,
  rename,
  request,
} from '../support/metadata-samples.ts';
import { SampleJournal } from '../support/sample-journal.ts';
import { unlocked } from '../support/sealed-metadata.ts';
import { MetadataModel, type ModelChange, sizeOf } from './metadata-model.ts';

const KEYS = ['a', 'b', 'c', 'ab', 'é'];
const CHUNKS = ['p', 'q', 'r', 's', 't', 'u', 'v', 'w'];
const ALL_CHUNKS = concatBytes(CHUNKS.map(idOf));

const versionOf = (label: string): Uint8Array => entryVersion(decodeEntry(entryOf(label, { size: sizeOf(label) })));

const key = fc.constantFrom(...KEYS);
const label = fc.constantFrom('one', 'two', 'three', 'fourth');
const time = fc.integer({ min: 1, max: 1000 });
const chunks = fc.uniqueArray(fc.constantFrom(...CHUNKS), { minLength: 1, maxLength: 4 });

const place = fc.nat(2);
const places = fc.array(place, { minLength: 2, maxLength: 4 });

const change: fc.Arbitrary<ModelChange> = fc.oneof(
  fc.record(
    { type: fc.constant('put' as const), key, label, modified: time, only: fc.oneof(fc.constant('absent'), label) },
    { requiredKeys: ['type', 'key', 'label', 'modified'] },
  ),
  fc.record({ type: fc.constant('delete' as const), key, only: label }, { requiredKeys: ['type', 'key'] }),
  fc.record({ type: fc.constant('rename' as const), from: key, to: key, replace: fc.boolean() }),
  fc.record({ type: fc.constant('copy' as const), from: key, to: key, replace: fc.boolean(), modified: time }),
);

const step = fc.oneof(
  fc.record({
    do: fc.constant('commit' as const),
    requests: fc.array(
      fc.record({ changes: fc.array(change, { maxLength: 4 }), inline: fc.array(chunks, { maxLength: 2 }) }),
      { minLength: 1, maxLength: 3 },
    ),
    /** Whether journal packs that wait are told in the same transaction. */
    tell: fc.boolean(),
  }),
  fc.record({ do: fc.constant('add' as const), chunks, places: fc.option(places, { nil: undefined }) }),
  fc.record({ do: fc.constant('flush' as const), after: fc.nat(8), count: fc.nat(8) }),
  fc.record({ do: fc.constant('tell' as const), which: fc.nat(8) }),
  fc.record({ do: fc.constant('merge' as const), skip: fc.nat(3), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('merge-journal' as const), skip: fc.nat(3), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('delete-dropped' as const) }),
  fc.record({
    do: fc.constant('place' as const),
    pack: fc.nat(9),
    moves: fc.array(fc.record({ index: fc.nat(3), from: fc.option(place, { nil: undefined }), to: place }), {
      maxLength: 5,
    }),
  }),
  fc.record({ do: fc.constant('suspect' as const), chunk: fc.constantFrom(...CHUNKS), packs: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function toChange(value: ModelChange): Change {
  const at = (only: string) => ({ condition: { version: versionOf(only) } });
  switch (value.type) {
    case 'put': {
      const { modified, only } = value;
      const condition =
        only === undefined ? {} : only === 'absent' ? { condition: { absent: true } as const } : at(only);
      return put(value.key, value.label, { modified, shape: { size: sizeOf(value.label) }, ...condition });
    }
    case 'delete':
      return remove(value.key, value.only === undefined ? undefined : versionOf(value.only));
    case 'rename':
      return rename(value.from, value.to, value.replace);
    case 'copy':
      return copy(value.from, value.to, value);
  }
}

/** The metadata under test beside the model of it, and what lies on the backend of both. */
class World {
  readonly metadata: Metadata;
  readonly model = new MetadataModel();
  readonly journal = new SampleJournal();
  #untold: FlushedJournal[] = [];

  constructor(metadata: Metadata) {
    this.metadata = metadata;
  }

  async run(taken: Step): Promise<void> {
    switch (taken.do) {
      case 'commit':
        return this.#commit(taken);
      case 'add':
        return this.#add(taken.chunks, taken.places);
      case 'flush': {
        const { flushed } = await this.metadata.head();
        const after = Math.max(flushed, flushed + taken.after - 4);
        const made = await this.journal.flush(this.metadata, { after, last: after + 1 + taken.count });
        if (made) this.#untold.push(made);
        return;
      }
      case 'tell':
        return this.tell(taken.which);
      case 'merge':
        return this.#merge(taken);
      case 'merge-journal':
        return this.#mergeJournal(taken);
      case 'delete-dropped':
        return this.deleteDropped();
      case 'place':
        return this.#place(taken);
      case 'suspect':
        return this.#suspect(taken.chunk, taken.packs);
    }
  }

  async #commit({ requests, tell }: Extract<Step, { do: 'commit' }>): Promise<void> {
    const told = tell ? this.#untold.splice(0) : [];
    const asked = requests.map(({ changes, inline }) => ({
      changes: changes.map(toChange),
      inline: inline.map((labels) => inlineOf(...labels)),
    }));
    const outcomes = await this.#noticingMoves(() => this.metadata.commit(asked, told));
    const meant = requests.map(({ changes, inline }) => this.model.request(changes, inline.flat()));
    expect(outcomes.map(codeOf)).toEqual(meant.map(({ outcome }) => outcome));
    if (meant.some(({ changed }) => changed)) this.model.commit += 1;
  }

  async #pass(...changes: readonly Change[]): Promise<void> {
    const outcomes = await this.metadata.commit([request(...changes)]);
    expect(outcomes.map(codeOf)).toEqual(['ok']);
    this.model.commit += 1;
  }

  async #add(labels: readonly string[], at: readonly number[] | undefined): Promise<void> {
    const sample = this.journal.write(labels.map(idOf), 'data', at);
    await this.#pass(packAdd(sample));
    const pack = toHex(sample.pack.id);
    this.model.place(labels, { pack });
    if (at) this.model.shards.set(pack, at);
  }

  /** Sets places of one pack that is live, or was: whoever knows it may be late. */
  async #place({ pack: which, moves }: Extract<Step, { do: 'place' }>): Promise<void> {
    const [live, dropped] = [await this.metadata.listPacks({ limit: 99 }), await this.metadata.droppedPacks(99)];
    const packs = [...live, ...dropped];
    const pack = packs[which % Math.max(1, packs.length)];
    if (!pack) return;
    const { number: packNumber, stripe } = pack;
    const count = stripe.k + stripe.m;
    const changes = moves.map(({ index, from, to }) => ({ index: index % count, from, to }));
    const answers = await this.metadata.placeShards(
      changes.map((one) => ({ packNumber, stripeId: stripe.id, ...one })),
    );
    const isLive = live.includes(pack);
    expect(answers).toEqual(changes.map((one) => isLive && this.model.placeShard(toHex(pack.id), count, one)));
  }

  async tell(which = 0): Promise<void> {
    const told = this.#untold.splice(which % Math.max(1, this.#untold.length), 1);
    if (told.length === 0) return;
    await this.#noticingMoves(() => this.metadata.markFlushed(told));
  }

  /** Suspicion is about one copy: a chunk that is now found in another pack is free of it. */
  async #noticingMoves<T>(work: () => Promise<T>): Promise<T> {
    const places = async () => (await this.metadata.locate('chunk', ALL_CHUNKS)).map((found) => found?.pack?.number);
    const before = await places();
    const result = await work();
    for (const [index, number] of (await places()).entries()) {
      const name = CHUNKS[index];
      if (name !== undefined && number !== before[index]) this.model.suspect.delete(name);
    }
    return result;
  }

  get untold(): number {
    return this.#untold.length;
  }

  async #merge({ skip, count }: { readonly skip: number; readonly count: number }): Promise<void> {
    const packs = (await this.metadata.listPacks({ class: 'data', limit: 99 })).slice(skip, skip + count);
    if (packs.length === 0) return;
    // Every chunk that ever lay there is copied, found there or not.
    const ids = packs.flatMap((pack) => this.journal.directory(pack.id)?.map(({ id }) => id) ?? []);
    const unique = [...new Map(ids.map((id) => [toHex(id), id])).values()];
    const live = packs.flatMap(({ id }) => this.model.labelsIn(toHex(id)));
    const added = this.journal.write(unique);
    await this.#pass(
      packMerge(
        [added],
        packs.map((pack) => ({ pack, items: [] })),
      ),
    );
    this.model.place(live, { pack: toHex(added.pack.id) });
  }

  async #mergeJournal({ skip, count }: { readonly skip: number; readonly count: number }): Promise<void> {
    const all = await this.metadata.listPacks({ class: 'journal', limit: 99 });
    const place = (index: number) => all[index]?.journal?.lastCommit ?? 0;
    const order = [...all.keys()].toSorted((a, b) => place(a) - place(b)).slice(skip, skip + count);
    const packs = order.flatMap((index) => all[index] ?? []);
    const read = packs.flatMap(({ id }) => this.journal.journalPack(id) ?? []);
    const commits = [...new Set(read.flatMap(({ entries }) => entries.map(({ commit }) => commit)))].toSorted(
      (a, b) => a - b,
    );
    const gapFree = commits.every((commit, index) => commit === (commits[0] ?? 0) + index);
    if (packs.length === 0 || !gapFree) return;
    await this.metadata.replay([this.journal.mergeJournal(read).pack], []);
    const moved = await this.#foundIn(packs.map(({ number }) => number));
    const added = this.journal.write(moved.map(idOf));
    await this.#pass(
      packMerge(
        [added],
        packs.map((pack) => ({ pack, items: [] })),
      ),
    );
    this.model.place(moved, { pack: toHex(added.pack.id) });
  }

  async #foundIn(numbers: readonly number[]): Promise<readonly string[]> {
    const found = await this.metadata.locate('chunk', ALL_CHUNKS);
    return CHUNKS.filter((_, index) => numbers.includes(found[index]?.pack?.number ?? 0));
  }

  async deleteDropped(): Promise<void> {
    const dropped = await this.metadata.droppedPacks(99);
    for (const { id } of dropped) this.journal.delete(id);
    await this.metadata.forgetPacks(dropped.map(({ number }) => number));
  }

  async #suspect(chunk: string, packs: boolean): Promise<void> {
    const [found] = await this.metadata.locate('chunk', idOf(chunk));
    if (!found?.pack) return;
    const { number } = found.pack;
    const flagged = packs ? await this.#foundIn([number]) : [chunk];
    if (packs) await this.metadata.markPacksSuspect([number]);
    else await this.metadata.markSuspect([{ kind: 'chunk', id: idOf(chunk), packNumber: number }]);
    for (const label of flagged) this.model.suspect.add(label);
  }

  /** The metadata says of entries, chunks and counters what the model says. */
  async compare(): Promise<void> {
    const { metadata, model } = this;
    const rows = await metadata.listEntries({ limit: 99 });
    const held = rows.map(({ key: of, version, size, created, modified }) => [
      utf8Decode(of),
      { version, size, created, modified },
    ]);
    const meant = [...model.entries].map(
      ([of, { label: name, ...rest }]) => [of, { version: versionOf(name), ...rest }] as const,
    );
    expect(held).toEqual(meant.toSorted(([a], [b]) => Buffer.compare(utf8Encode(a), utf8Encode(b))));
    const found = await metadata.locate('chunk', ALL_CHUNKS);
    for (const [index, name] of CHUNKS.entries()) {
      const [place, location] = [model.places.get(name), found[index]];
      expect(location !== undefined).toBe(place !== undefined);
      if (!place || !location) continue;
      if ('pack' in place) expect(toHex(location.pack?.id ?? new Uint8Array())).toBe(place.pack);
      else this.#compareInline(place.commit, location.pack?.id);
    }
    const sizes = [...model.entries.values()].reduce((sum, { size }) => sum + size, 0);
    expect(await metadata.counters()).toMatchObject({
      ...{ entries: model.entries.size, logicalBytes: sizes, chunks: model.places.size },
      ...{ uniqueBytes: 100 * model.places.size },
    });
    expect((await metadata.head()).commit).toBe(model.commit);
  }

  /** A chunk that rode in a commit is in the outbox or in a journal pack that holds that commit. */
  #compareInline(commit: number, pack: Uint8Array | undefined): void {
    if (!pack) return;
    const holds = this.journal.journalPack(pack)?.entries.find((entry) => entry.commit === commit);
    expect(holds?.inline.length).toBeGreaterThan(0);
  }

  async comparePlaces(): Promise<void> {
    const { metadata, model } = this;
    const packs = await metadata.listPacks({ limit: 99 });
    const meant = packs.map(({ id }) => model.shards.get(toHex(id)));
    expect(packs.map(({ places: at }) => at)).toEqual(meant);
    const lacking = packs.flatMap(({ number, stripe }, index) => {
      const at = meant[index];
      return at?.includes(0) ? [[at.filter((one) => one > 0).length - stripe.k, number]] : [];
    });
    const queue = await metadata.packsToRepair({ limit: 99 });
    expect(queue.map(({ margin, number }) => [margin, number])).toEqual(
      lacking.toSorted(([a = 0, m = 0], [b = 0, n = 0]) => a - b || m - n),
    );
    const unknown = await metadata.packsOfUnknownPlace({ limit: 99 });
    expect(unknown.map(({ number }) => number)).toEqual(
      packs.flatMap(({ number }, index) => (meant[index] ? [] : [number])),
    );
  }

  async compareSuspects(): Promise<void> {
    const found = await this.metadata.locate('chunk', ALL_CHUNKS);
    expect(CHUNKS.filter((_, index) => found[index]?.suspect)).toEqual(
      CHUNKS.filter((name) => this.model.suspect.has(name)),
    );
  }
}

type Open = () => Promise<Metadata>;

const MEMORY = { path: ':memory:', storeId: SAMPLE_STORE, create: true, readOnly: false, busyTimeoutMs: 0 };
const openPlain: Open = () => openSqlMetadata(MEMORY);
const openSealed: Open = () => unlocked(openSqlMetadata({ ...MEMORY, sealed: true }));

async function expectRebuildEqual({ metadata, journal }: World, open: Open): Promise<void> {
  const rebuilt = await open();
  await journal.recover(rebuilt);
  expect(await rebuilt.stateDigests()).toEqual(await metadata.stateDigests());
  expect(equalBytes((await rebuilt.head()).digest, (await metadata.head()).digest)).toBe(true);
  await expectSound(rebuilt);
  await rebuilt.close();
}

it.each([
  { kind: 'plain', open: openPlain, numRuns: 75 },
  { kind: 'sealed', open: openSealed, numRuns: 20 },
])('$kind metadata holds what the model holds after any sequence of calls, and a rebuild gives the same', async ({
  open,
  numRuns,
}) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      const world = new World(await open());
      for (const taken of steps) await world.run(taken);
      await world.compare();
      await world.compareSuspects();
      await world.comparePlaces();
      await expectSound(world.metadata);
      while (world.untold > 0) await world.tell();
      const { flushed } = await world.metadata.head();
      for (let after = flushed; after < world.model.commit; ) {
        const rest = await world.journal.flush(world.metadata, { after });
        if (!rest) break;
        await world.metadata.markFlushed([rest]);
        after = (await world.metadata.head()).flushed;
      }
      expect(await world.metadata.counters()).toMatchObject({ outbox: 0 });
      await world.compare();
      await expectSound(world.metadata);
      await expectRebuildEqual(world, open);
      await world.comparePlaces();
      await world.deleteDropped();
      await expectRebuildEqual(world, open);
      await world.metadata.close();
    }),
    { numRuns },
  );
});
