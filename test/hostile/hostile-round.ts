/**
 * All kinds of hostility at the same time, beside clients of good faith who must not notice. What the server process takes
 * of its machine is measured from outside.
 */
import { deepStrictEqual, ok } from 'node:assert/strict';
import type { Store } from '../../src/index.ts';
import { sleep } from '../../src/runtime/timers.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { Attacker } from './attacker.ts';
import { ATTACKS } from './attacks.ts';
import { Friend } from './friend.ts';
import { type Load, World } from './world.ts';

export interface RoundOptions {
  readonly seed: number;
  /** How often each kind of attack is made. */
  readonly attacks: number;
  /** What each client of good faith does at least; it goes on as long as there are attacks. */
  readonly steps: number;
}

/** What a round came to. */
export interface RoundFigures {
  readonly attacks: number;
  readonly requests: number;
  readonly retries: number;
  readonly seconds: number;
  /** Beyond what the server had after clients of good faith alone. */
  readonly grownBytes: number;
  /** Delays of the event loop while it was attacked: the smallest bounds that 90 and 99 of a hundred are within. */
  readonly delayP90: number;
  readonly delayP99: number;
}

const FRIENDS = 3;
const ATTACKERS = 6;
const WARM_STEPS = 12;
const GROWN_BYTES_MAX = 256 * 1024 ** 2;
/** Of what does not belong to entries: objects, journal, padding. */
const SLACK_BYTES = 2 * 1024 ** 2;
/** Until the server has cut off whoever is slow, and given back what belongs to nobody. */
const SETTLED_MS = 30_000;
const POLL_MS = 50;

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += POLL_MS) {
    ok(waited < SETTLED_MS, `${what}: not after ${SETTLED_MS} ms`);
    await sleep(POLL_MS);
  }
}

/** @throws at the first thing that is wrong, with the seed */
export async function runHostileRound(options: RoundOptions): Promise<RoundFigures> {
  try {
    await using world = await World.open();
    return await new Round(world, options).run();
  } catch (error) {
    throw new Error(`a hostile round of seed ${options.seed} failed`, { cause: error });
  }
}

class Round {
  readonly #world: World;
  readonly #options: RoundOptions;
  readonly #random;

  constructor(world: World, options: RoundOptions) {
    this.#world = world;
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  #drawn() {
    return seededRandom(this.#random.integer(2 ** 30));
  }

  async run(): Promise<RoundFigures> {
    const friends = Array.from({ length: FRIENDS }, (_, lane) => new Friend(this.#world, this.#drawn(), lane));
    for (const friend of friends) for (let step = 0; step < WARM_STEPS; step += 1) await friend.step();
    const before = await this.#world.load();
    const attacker = new Attacker(this.#world, this.#drawn());
    const began = performance.now();
    const attacking = this.#attack(attacker);
    await Promise.all([attacking, ...friends.map((friend) => this.#befriend(friend, attacking))]);
    const seconds = (performance.now() - began) / 1000;
    const after = await this.#world.load();
    const cut = Promise.all(attacker.held.map(async (client) => client.closed()));
    for (const client of attacker.held) client.resume();
    await this.#settle(attacker, cut);
    for (const friend of friends) await friend.verify();
    await until('descriptors return', async () => (await this.#world.descriptors()) <= before.descriptors);
    await verifyStore(await this.#world.stop());
    return this.#figures({ before, after, friends, seconds });
  }

  async #befriend(friend: Friend, attacking: Promise<void>): Promise<void> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    // How the attacks end is for whoever began them.
    attacking.then(end, end);
    for (let step = 0; step < this.#options.steps || !isOver; step += 1) await friend.step();
  }

  /** Every kind of attack so often, in an order that is drawn, several at a time. */
  async #attack(attacker: Attacker): Promise<void> {
    const kinds = Object.keys(ATTACKS).flatMap((kind) => Array.from({ length: this.#options.attacks }, () => kind));
    for (let at = kinds.length - 1; at > 0; at -= 1) {
      const other = this.#random.integer(at + 1);
      [kinds[at], kinds[other]] = [kinds[other] as string, kinds[at] as string];
    }
    const work = async (): Promise<void> => {
      for (let kind = kinds.pop(); kind !== undefined; kind = kinds.pop()) await ATTACKS[kind]?.(attacker);
    };
    await Promise.all(Array.from({ length: ATTACKERS }, work));
  }

  /** The server ends what is slow; what nobody finishes goes. */
  async #settle(attacker: Attacker, cut: Promise<readonly string[]>): Promise<void> {
    let answers: readonly string[] | undefined;
    void cut.then((all) => {
      answers = all;
    });
    await until('slow clients are cut off', async () => answers !== undefined);
    // Those that never read were sent something, and not all of it.
    for (const text of answers ?? []) if (!/^HTTP\/1\.1 200/.test(text)) attacker.judge('slow', text, /408|none/);
    for (const client of attacker.parked) client.leave();
    await until('unfinished uploads expire', async () => {
      await this.#world.ageUploads();
      await attacker.touchUploads();
      return (await this.#world.spooled()).length === 0;
    });
  }

  #figures({ before, after, friends, seconds }: Measured): RoundFigures {
    const grownBytes = after.peakBytes - before.residentBytes;
    ok(grownBytes < GROWN_BYTES_MAX, `the server grew by ${(grownBytes / 1024 ** 2).toFixed(0)} MiB`);
    const sum = (count: (friend: Friend) => number): number => friends.reduce((all, one) => all + count(one), 0);
    return {
      attacks: this.#options.attacks * Object.keys(ATTACKS).length,
      requests: sum(({ figures }) => figures.requests),
      retries: sum(({ figures }) => figures.retries),
      ...{ seconds, grownBytes },
      delayP90: delayOf(before, after, 0.9),
      delayP99: delayOf(before, after, 0.99),
    };
  }
}

interface Measured {
  readonly before: Load;
  readonly after: Load;
  readonly friends: readonly Friend[];
  readonly seconds: number;
}

/** Bound in seconds that this share of the delays between two looks are within. */
function delayOf(before: Load, after: Load, share: number): number {
  const looks = after.looks - before.looks;
  const within = [...after.looksUpTo].find(
    ([bound, count]) => count - (before.looksUpTo.get(bound) ?? 0) >= share * looks,
  );
  return within?.[0] ?? Number.POSITIVE_INFINITY;
}

/** That nothing of any attack is visible, that its space comes back, and that the store is whole. */
async function verifyStore(opened: Store): Promise<void> {
  await using store = opened;
  let visibleBytes = 0;
  for (const namespace of ['friend', 'mallory']) {
    for await (const { key, size } of store.namespace(namespace).list()) {
      ok(!key.startsWith('never'), `${key} is there`);
      visibleBytes += size;
    }
  }
  for (let outcome = ''; outcome !== 'ok'; ) ({ outcome } = await store.maintenance.gc({ graceMs: 0, deadShare: 0 }));
  const report = await store.maintenance.check({ invariants: true });
  deepStrictEqual([report.outcome, report.problems], ['ok', []]);
  // All contents differ, and no codec makes them smaller; the bombs are zeros.
  const { uniqueBytes, storedBytes } = await store.stats();
  ok(uniqueBytes < visibleBytes + SLACK_BYTES, `${uniqueBytes} bytes of contents, ${visibleBytes} of entries`);
  ok(storedBytes < 1.1 * visibleBytes + SLACK_BYTES, `${storedBytes} bytes for ${visibleBytes} bytes of entries`);
}
