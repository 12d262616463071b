import { afterEach, expect } from 'vitest';
import { utf8Encode } from '../../../src/bytes/bytes.ts';
import type { Change, EntryRow, Metadata, RequestOutcome } from '../../../src/metadata/contract.ts';
import { idOf, request } from '../../support/metadata-samples.ts';
import { NamedChanges } from '../../support/named-changes.ts';
import { TENANT } from '../../support/sealed-metadata.ts';

/** Fresh metadata of the kind under test. */
export interface MetadataUnderTest {
  readonly name: string;
  open(): Promise<Metadata>;
  /** A second handle on what `open` opened last, as another process has it; absent where there is no such thing. */
  readonly openAgain?: () => Promise<Metadata>;
  dispose?(): Promise<void>;
}

/** Opens metadata and closes it after the test. */
export interface Opener {
  open(): Promise<Metadata>;
  readonly openAgain: (() => Promise<Metadata>) | undefined;
}

/** To be called inside a `describe`. */
export function openerOf(subject: MetadataUnderTest): Opener {
  const opened: Metadata[] = [];
  const keep = async (opening: Promise<Metadata>): Promise<Metadata> => {
    const metadata = await opening;
    opened.push(metadata);
    return metadata;
  };
  afterEach(async () => {
    for (const metadata of opened.splice(0)) await metadata.close();
    await subject.dispose?.();
  });
  const { openAgain } = subject;
  return { open: () => keep(subject.open()), openAgain: openAgain && (() => keep(openAgain())) };
}

/** Commits one request that must pass. */
export async function commit(metadata: Metadata, ...changes: readonly Change[]) {
  const [outcome] = await metadata.commit([request(...changes)]);
  if (!outcome?.ok) throw outcome?.error ?? new Error('no outcome');
  return outcome;
}

/** Code of the error that a request failed with. */
export function codeOf(outcome: RequestOutcome | undefined): unknown {
  return outcome?.ok === false ? (outcome.error as { code?: unknown }).code : 'ok';
}

/** Code of the error that the one request fails with. */
export async function refusal(metadata: Metadata, ...changes: readonly Change[]): Promise<unknown> {
  const [outcome] = await metadata.commit([request(...changes)]);
  return codeOf(outcome);
}

export async function entry(metadata: Metadata, key: string): Promise<EntryRow | undefined> {
  const [row] = await metadata.getEntries([utf8Encode(key)]);
  return row;
}

/** Number of the pack in which a chunk is found, `outbox <commit>`, or `undefined`; `!` after it when suspect. */
export async function whereIs(metadata: Metadata, label: string | number): Promise<string | undefined> {
  const [found] = await metadata.locate('chunk', idOf(label));
  if (!found) return undefined;
  const place = found.pack ? `pack ${found.pack.number}` : `outbox ${found.outbox.commit}`;
  return found.suspect ? `${place}!` : place;
}

/** What runs a test of what is named: plain metadata, and in sealed metadata a namespace of its own. */
export function namedIn({ name }: MetadataUnderTest): NamedChanges {
  return new NamedChanges(name.startsWith('sealed') ? TENANT : 0);
}

/** Everything is in the outbox still, and gives the same state: record by record, and all in one call. */
export async function expectReplayed(metadata: Metadata, open: () => Promise<Metadata>): Promise<void> {
  await expectSound(metadata);
  const digests = await metadata.stateDigests();
  const rows = await metadata.outbox(0, 2 ** 30);
  const steps = rows.map(({ record }) => ({ record, directories: [], inline: [] }));
  const [together, apart] = [await open(), await open()];
  await together.replay([], steps);
  for (const step of steps) await apart.replay([], [step]);
  for (const rebuilt of [together, apart]) {
    expect(await rebuilt.stateDigests()).toEqual(digests);
    await expectSound(rebuilt);
  }
}

/** Nothing is wrong with the metadata. */
export async function expectSound(metadata: Metadata): Promise<void> {
  const { tables, problems } = await metadata.check();
  expect(problems).toEqual([]);
  expect(tables.filter(({ damagedRows, sumMatches }) => damagedRows > 0 || !sumMatches)).toEqual([]);
}
