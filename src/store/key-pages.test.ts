import { describe, expect, it } from 'vitest';
import { asyncOutcome } from '../../test/support/sealed.ts';
import { RING } from '../../test/support/sealed-samples.ts';
import type { BackendCapabilities } from '../backend/contract.ts';
import { MemoryBackend } from '../backend/memory-backend.ts';
import { KEY_PAGES_PREFIX, KeySchedule, keyPageKey } from '../format/index.ts';
import { FaultyBackend, seededRandom } from '../testing/index.ts';
import { KeyPages } from './key-pages.ts';

const KEPT = 3;

/** Pages on a backend that does not count as able to create exactly once unless told. */
function samplePages(options: { readonly ifAbsent?: boolean; readonly random?: (bytes: number) => Uint8Array } = {}) {
  const { ifAbsent = true, random = seededRandom(1).bytes } = options;
  const backend = new FaultyBackend(new MemoryBackend());
  Object.assign(backend, { capabilities: { ...backend.capabilities, ifAbsent } satisfies BackendCapabilities });
  const schedule = new KeySchedule(RING);
  return { backend, schedule, pages: new KeyPages({ backend, random, schedule: () => schedule, keptMax: KEPT }) };
}

async function createAndRelease(pages: KeyPages, count: number): Promise<readonly number[]> {
  const made: number[] = [];
  for (let each = 0; each < count; each += 1) {
    made.push(await pages.create());
    pages.release(made.at(-1) as number);
  }
  return made;
}

describe('the keys of isolated entries', () => {
  it('stay in memory while an entry is put, and a few of them afterwards', async () => {
    const { pages, schedule } = samplePages();
    const held = await Promise.all(Array.from({ length: 2 * KEPT }, () => pages.create()));
    const known = () => held.map((namespace) => schedule.hasNamespace(namespace));
    expect(known()).toEqual([true, true, true, true, true, true]);
    for (const namespace of held) pages.release(namespace);
    expect(known()).toEqual([false, false, false, true, true, true]);
  });

  it('are loaded again when they are needed, those that were used last being kept', async () => {
    const { pages, schedule, backend } = samplePages();
    const made = await createAndRelease(pages, 2 * KEPT);
    const [first = 0, , , fourth = 0, fifth = 0] = made;
    await pages.using(fourth, () => undefined);
    expect(backend.trace.filter((call) => call.startsWith('get'))).toEqual([]);
    expect(await pages.using(first, () => schedule.isolatedEntryKey(first))).toHaveLength(32);
    expect(backend.trace.filter((call) => call.startsWith('get'))).toEqual([`get ${keyPageKey(first)}`]);
    expect(schedule.hasNamespace(fourth)).toBe(true);
    expect(schedule.hasNamespace(fifth)).toBe(false);
  });

  it('are there when the work that needs them begins, however many are needed at once', async () => {
    const { pages, schedule } = samplePages();
    const made = await createAndRelease(pages, 10 * KEPT);
    const twice = [...made, ...made];
    const keys = await Promise.all(twice.map((one) => pages.using(one, () => schedule.isolatedEntryKey(one))));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(made.length);
    expect(made.filter((one) => schedule.hasNamespace(one))).toHaveLength(KEPT);
  });

  it('are gone from memory when they are forgotten, and for good when they are destroyed', async () => {
    const { pages, schedule } = samplePages();
    const [namespace = 0] = await createAndRelease(pages, 1);
    pages.forget(namespace);
    schedule.forget(namespace);
    await pages.destroy(namespace);
    expect(await asyncOutcome(pages.using(namespace, () => undefined))).toBe('corrupt/KEY_PAGE_MISSING');
  });

  it.each([true, false])('never take the place of another page, on a backend with ifAbsent: %s', async (ifAbsent) => {
    const { bytes } = seededRandom(2);
    const numbers = [1, 1, 2].map((number) => Uint8Array.of(0, 0, 0, number));
    const random = (count: number) => (count === 4 ? (numbers.shift() ?? bytes(count)) : bytes(count));
    const { pages, backend } = samplePages({ ifAbsent, random });
    const [one = 0, other = 0] = await createAndRelease(pages, 2);
    expect([one, other]).toEqual([0x8000_0001, 0x8000_0002]);
    expect(await backend.list({ prefix: KEY_PAGES_PREFIX })).toHaveLength(2);
    expect(backend.trace.filter((call) => call.startsWith('head')).length).toBe(ifAbsent ? 0 : 3);
  });
});
