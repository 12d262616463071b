/** Keys for tests of sealed metadata: bytes that follow from labels, and are no secret. */
import { utf8Encode } from '../../src/bytes/bytes.ts';
import { decodeEntry } from '../../src/format/entry.ts';
import { KeySchedule, scopeKey, sealIsolatedEntry } from '../../src/format/index.ts';
import type { RingSecrets } from '../../src/format/key-schedule.ts';
import { blake3 } from '../../src/hash/index.ts';
import type { Change, Metadata } from '../../src/metadata/contract.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { type EntryShape, entryOf, packOf, put, type SamplePack } from './metadata-samples.ts';

export function secretOf(label: string): Uint8Array {
  return new Uint8Array(blake3(utf8Encode(`secret ${label}`)));
}

/** A tenant's namespace that the sample ring has. */
export const TENANT = 7;

/** The ring of the sample store after some rotations, with these namespaces beside the default one. */
export function ringOf(epochs = 1, namespaces: readonly number[] = [TENANT]): RingSecrets {
  const range = Array.from({ length: epochs }, (_, index) => index + 1);
  return {
    store: secretOf('store'),
    epochs: range.map((number) => ({ number, secret: secretOf(`epoch ${number}`) })),
    namespaces: [0, ...namespaces].map((number) => ({ number, secret: secretOf(`namespace ${number}`) })),
  };
}

/** What `opening` gives, with the sample keys. */
export async function unlocked<M extends Metadata>(opening: Promise<M>): Promise<M> {
  const metadata = await opening;
  await metadata.unlock(ringOf(), 1);
  return metadata;
}

/** A sealed pack of a namespace, as `packOf`. */
export function sealedPackOf(ordinal: number, ids: readonly Uint8Array[], namespace = TENANT): SamplePack {
  const sample = packOf(ordinal, ids);
  const seal = { namespace, epoch: 1, salt: secretOf(`salt ${ordinal}`) };
  return { ...sample, pack: { ...sample.pack, seal } };
}

/** The scoped key of an entry of a namespace. */
export function keyOf(key: string, namespace = TENANT): Uint8Array {
  return scopeKey(namespace, utf8Encode(key));
}

/** Puts an entry of a namespace, as `put`. */
export function putIn(namespace: number, key: string, shape: EntryShape = {}): Change {
  return { ...put(key, key, { shape }), key: keyOf(key, namespace) };
}

/** Puts an isolated entry whose content lies in a namespace of one; the key is one of `namespace`. */
export function putIsolated(
  isolation: number,
  key: string,
  options: { namespace?: number; size?: number } = {},
): Change {
  const { namespace = 0, size = 10 } = options;
  const schedule = new KeySchedule(ringOf());
  schedule.learn(isolation, secretOf(`isolated ${isolation}`));
  const value = decodeEntry(entryOf(key, { size }));
  const { entry } = sealIsolatedEntry(value, { namespace: isolation, schedule, random: systemRandom });
  return { ...put(key), key: keyOf(key, namespace), entry };
}
