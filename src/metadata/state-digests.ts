import { BinaryWriter } from '../bytes/binary-writer.ts';
import { concatBytes, toHex, utf8Encode } from '../bytes/bytes.ts';
import { packClassCode } from '../format/type-codes.ts';
import type { PackDescriptor } from '../format/types.ts';
import { blake3 } from '../hash/index.ts';
import type { EntryRow, StateTable } from './contract.ts';
import type { Reader } from './database.ts';
import type { PolicyRow } from './object-rows.ts';
import { IN_OUTBOX, type ItemRow, itemKey } from './rows.ts';
import type { Table } from './table.ts';
import { scanTable } from './table-scan.ts';
import type { Tables } from './tables.ts';

const DIGEST_BITS = 256n;
const NO_PARENT = new Uint8Array(16);

function numbers(...values: readonly number[]): Uint8Array {
  const writer = new BinaryWriter(values.length * 8);
  for (const value of values) writer.u64(value);
  return writer.bytes;
}

function framed(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(parts.flatMap((part) => [numbers(part.length), part]));
}

function entryBytes(row: EntryRow): Uint8Array {
  return framed(row.key, row.version, row.entry, numbers(row.size, row.created, row.modified));
}

/** @param packId absent for what rode inline: any journal pack that has its commit is as good a place as another one */
function itemBytes(row: ItemRow, packId: Uint8Array | undefined): Uint8Array {
  const [kind] = itemKey(row.kind, row.id);
  const { ordinal, offset, storedLength, plainLength, codec, inner, length, commit } = row;
  if (packId === undefined) return framed(row.id, numbers(kind, length, commit));
  return framed(row.id, packId, numbers(kind, ordinal, offset, storedLength, plainLength, codec, inner, length));
}

function packBytes({ id, class: packClass, packBytes: bytes, storedBytes, stripe, seal }: PackDescriptor): Uint8Array {
  const key = seal ? [numbers(seal.namespace, seal.epoch), seal.salt] : [];
  const sizes = numbers(packClassCode(packClass), bytes, storedBytes, stripe.k, stripe.m);
  return framed(id, stripe.id, stripe.roots, sizes, ...key);
}

/** A sum of digests does not depend on the order of rows, and unlike XOR it does not cancel out equal ones. */
class MultisetDigest {
  #sum = 0n;

  add(bytes: Uint8Array): void {
    this.#sum = BigInt.asUintN(Number(DIGEST_BITS), this.#sum + BigInt(`0x${toHex(blake3(bytes))}`));
  }

  toString(): string {
    return this.#sum.toString(16).padStart(Number(DIGEST_BITS / 4n), '0');
  }
}

async function eachRow<Row>(reader: Reader, table: Table<Row>, visit: (row: Row) => void): Promise<void> {
  for await (const page of scanTable(reader, table)) for (const row of page) visit(table.check(row).row);
}

/** Of a policy: a number more than what is kept, 0 for no bound. */
function policyBytes({ namespace, policy: { last, forMs } }: PolicyRow): Uint8Array {
  return numbers(namespace, last === undefined ? 0 : last + 1, forMs === undefined ? 0 : forMs + 1);
}

/** Steps are digested with the histories that number them, nodes of relations as the keys of their entries. */
async function namedDigests(
  reader: Reader,
  tables: Tables,
): Promise<Readonly<Record<Exclude<StateTable, 'entries' | 'items' | 'packs'>, string>>> {
  const [objects, refs, steps] = [new MultisetDigest(), new MultisetDigest(), new MultisetDigest()];
  const [relations, policies] = [new MultisetDigest(), new MultisetDigest()];
  await eachRow(reader, tables.objects, ({ key, type, entry, stored }) =>
    objects.add(framed(key, utf8Encode(type), entry, numbers(stored))),
  );
  await eachRow(reader, tables.refs, ({ key, target, moved }) => refs.add(framed(key, target, numbers(moved))));
  await eachRow(reader, tables.steps, ({ key, time, value }) => steps.add(framed(key, numbers(time), value)));
  await eachRow(reader, tables.histories, (row) => steps.add(framed(row.key, numbers(row.first, row.last, row.steps))));
  const keys = new Map<number, Uint8Array>();
  await eachRow(reader, tables.relations, ({ key, node }) => keys.set(node, key));
  await eachRow(reader, tables.relations, ({ key, parent, children }) =>
    relations.add(framed(key, keys.get(parent) ?? NO_PARENT, numbers(children))),
  );
  await eachRow(reader, tables.policies, (row) => policies.add(policyBytes(row)));
  return {
    ...{ objects: `${objects}`, refs: `${refs}`, steps: `${steps}` },
    ...{ relations: `${relations}`, policies: `${policies}` },
  };
}

/** See `Metadata.stateDigests`. */
export async function stateDigests(reader: Reader, tables: Tables): Promise<Readonly<Record<StateTable, string>>> {
  const [entries, items, packs] = [new MultisetDigest(), new MultisetDigest(), new MultisetDigest()];
  const packIds = new Map<number, Uint8Array | undefined>([[IN_OUTBOX, undefined]]);
  await eachRow(reader, tables.entries, (row) => entries.add(entryBytes(row)));
  await eachRow(reader, tables.packs, ({ number, descriptor, dropped }) => {
    packIds.set(number, descriptor.journal ? undefined : descriptor.id);
    if (!dropped && !descriptor.journal) packs.add(packBytes(descriptor));
  });
  await eachRow(reader, tables.items, (row) => items.add(itemBytes(row, packIds.get(row.pack))));
  return { entries: `${entries}`, items: `${items}`, packs: `${packs}`, ...(await namedDigests(reader, tables)) };
}
