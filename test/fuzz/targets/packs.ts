/** Packs and what they are made of, plain and sealed. */
import { concatBytes } from '../../../src/bytes/bytes.ts';
import {
  type DirectoryItem,
  decodeDirectory,
  decodePack,
  decodePackFooter,
  decodePackHeader,
  encodePackFooter,
  encodePackHeader,
  openRecord,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackFooter,
  type PackHeader,
  type PackIdentity,
  RECORD_TRAILER_BYTES,
} from '../../../src/format/index.ts';
import { encodeDirectory } from '../../../src/format/pack-directory.ts';
import { sealDirectory, sealFooter, sealRecord } from '../../../src/format/pack-frame.ts';
import { samplePack, sealedPack } from '../../golden/format-files.ts';
import { packHeader, SAMPLE_PACKS } from '../../support/format-samples.ts';
import { SEALED_PACKS, sampleKey, sealedHeader } from '../../support/sealed-samples.ts';
import { mustBeBytes, mustEqual, mustHold } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { CBOR_MUTATIONS } from '../mutations/cbor.ts';
import { newerCbor, newerPrelude, withCheck } from './frames.ts';

const PLAIN: PackIdentity = packHeader('data', 1);
const SEALED_HEADER = SEALED_PACKS.data.header;
const SEALED: PackIdentity = { ...SEALED_HEADER, key: sampleKey(SEALED_HEADER) };
const PRELUDE_BYTES = 16;

const CLASSES = ['data', 'meta', 'journal'] as const;
const PACKS = CLASSES.map(samplePack);
const SEALED_WHOLE = CLASSES.map(sealedPack);

const header = fuzzTarget({
  name: 'pack-header',
  samples: () => [...PACKS, ...SEALED_WHOLE].map((pack) => pack.slice(0, PACK_HEADER_BYTES)),
  mutations: BYTE_MUTATIONS,
  repair: (input) => withCheck(input, PACK_HEADER_BYTES),
  newer: (sample, random) => withCheck(newerPrelude(sample, random)),
  read: decodePackHeader,
  check: (value, input) => {
    // What this version would not keep it does not write.
    if (value.features?.readOnlyCompatible) return;
    mustBeBytes(encodePackHeader(value), input.subarray(0, PACK_HEADER_BYTES), 'the header');
  },
  errors: ['PACK_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

/** The footers of a pack, and the numbers in one sealed anew where they were changed. */
function footer(name: string, identity: PackIdentity, packs: readonly Uint8Array[]): FuzzTarget {
  const reseal = (input: Uint8Array): Uint8Array => {
    if (input.length < PACK_FOOTER_BYTES) return input;
    const at = input.length - PACK_FOOTER_BYTES;
    const prelude = input.slice(at, at + PRELUDE_BYTES);
    const numbers = input.subarray(at + PRELUDE_BYTES, input.length - RECORD_TRAILER_BYTES);
    const { content, trailer } = sealFooter(identity, prelude, numbers);
    return concatBytes([input.subarray(0, at), prelude, content, trailer]);
  };
  return fuzzTarget<PackFooter>({
    name,
    samples: () => packs.map((pack) => pack.slice(-PACK_FOOTER_BYTES)),
    mutations: BYTE_MUTATIONS,
    repair: reseal,
    newer: (sample, random) =>
      identity.keyMode === 'plain' ? reseal(newerPrelude(sample, random)) : newerSealedFooter(random.integer(2)),
    read: (input) => decodePackFooter(input, identity),
    check: (value, input) =>
      mustBeBytes(
        encodePackFooter(value, identity),
        withoutHints(input.slice(-PACK_FOOTER_BYTES), identity),
        'the footer',
      ),
    errors: ['PACK_CORRUPT', 'FORMAT_UNSUPPORTED'],
  });
}

/** A footer keeps no feature bits: what is compatible is not written again. */
function withoutHints(input: Uint8Array, identity: PackIdentity): Uint8Array {
  const prelude = input.slice(0, PRELUDE_BYTES);
  if (prelude.subarray(10, 14).every((byte) => byte === 0)) return input;
  return encodePackFooter(decodePackFooter(input, identity), identity);
}

function newerSealedFooter(way: number): Uint8Array {
  const prelude = Uint8Array.from([...Buffer.from('HOLDFOOT'), 1 + way, 0, 0, 0, 0, 0, 1 - way, 0]);
  const { content, trailer } = sealFooter(SEALED, prelude, new Uint8Array(32));
  return concatBytes([prelude, content, trailer]);
}

/** What a footer says of columns, as far as they can be read: so that what is behind the counts is reached. */
function footerFor(columns: Uint8Array, bytes: number): PackFooter {
  const counts = { recordCount: 2, itemCount: 3, stored: 57 };
  // The columns of a sample begin: array of 8, version, array of stored lengths.
  const recordCount = (columns[2] ?? 0) & 0x1f;
  const ids = columns.length < 100 ? 1 : 3;
  if ((columns[2] ?? 0) >> 5 === 4 && recordCount > 0)
    Object.assign(counts, { recordCount, itemCount: Math.max(recordCount, ids) });
  return {
    directoryOffset: 217,
    directoryLength: bytes,
    recordCount: counts.recordCount,
    itemCount: counts.itemCount,
    paddingLength: 0,
  };
}

/** Columns of directories, in the frame of a pack: the trailer is right, and what it says is the input. */
function directory(name: string, identity: PackIdentity): FuzzTarget {
  return fuzzTarget<DirectoryItem[]>({
    name,
    samples: () => [columnsOf(SAMPLE_PACKS.data.records.length)],
    mutations: CBOR_MUTATIONS,
    newer: newerCbor,
    read: (input) => {
      const { content, trailer } = sealDirectory(identity, input);
      const bytes = concatBytes([content, trailer]);
      return decodeDirectory(bytes, identity, footerFor(input, bytes.length));
    },
    check: (items, input) => {
      const { bytes } = encodeDirectory(items, { ...identity, keyMode: 'plain', key: undefined } as never);
      mustBeBytes(bytes.subarray(0, -RECORD_TRAILER_BYTES), input, 'the directory');
    },
    errors: ['PACK_CORRUPT', 'FORMAT_UNSUPPORTED'],
  });
}

/** CBOR of the directory of the sample pack of data. */
function columnsOf(records: number): Uint8Array {
  const pack = samplePack('data');
  const { directoryOffset, directoryLength } = decodePackFooter(pack, PLAIN);
  mustHold(records === 2, 'the sample pack has two records');
  return pack.slice(directoryOffset, directoryOffset + directoryLength - RECORD_TRAILER_BYTES);
}

/** Directory bytes as they lie in a pack: whatever is changed, nothing but the bytes that were written opens. */
function framedDirectory(name: string, identity: PackIdentity, pack: Uint8Array): FuzzTarget {
  const known = decodePackFooter(pack, identity);
  const whole = pack.slice(known.directoryOffset, known.directoryOffset + known.directoryLength);
  return fuzzTarget({
    name,
    samples: () => [whole],
    mutations: BYTE_MUTATIONS,
    read: (input) => decodeDirectory(input, identity, known),
    check: (_, input) => mustBeBytes(input, whole, 'what opened as the directory'),
    errors: ['PACK_CORRUPT'],
  });
}

function record(name: string, identity: PackIdentity): FuzzTarget {
  const { stored, plainLength, codec, kind } = SAMPLE_PACKS.data.records[0];
  const place = { ordinal: 0, kind, codec, plainLength, storedLength: stored.length, offset: PACK_HEADER_BYTES };
  const frameOf = (content: Uint8Array): Uint8Array => {
    const framed = sealRecord(identity, { ...place, storedLength: content.length }, content);
    return concatBytes([framed.content, framed.trailer]);
  };
  const sample = frameOf(stored);
  return fuzzTarget({
    name,
    samples: () => [sample],
    mutations: BYTE_MUTATIONS,
    read: (input) => {
      const storedLength = Math.max(0, input.length - RECORD_TRAILER_BYTES);
      return openRecord(identity, { ...place, storedLength }, input);
    },
    check: (opened, input) => mustBeBytes(frameOf(opened), input, 'the record'),
    errors: ['PACK_CORRUPT'],
  });
}

/** Whole packs; repaired ones have the checks of header, footer and, where both leave one, directory. */
function repairPack(input: Uint8Array): Uint8Array {
  if (input.length < PACK_HEADER_BYTES + PACK_FOOTER_BYTES) return input;
  const repaired = withCheck(input, PACK_HEADER_BYTES);
  let identity: PackHeader;
  try {
    identity = decodePackHeader(repaired);
  } catch {
    return repaired;
  }
  if (identity.keyMode !== 'plain') return repaired;
  const at = repaired.length - PACK_FOOTER_BYTES;
  const prelude = repaired.slice(at, at + PRELUDE_BYTES);
  const numbers = repaired.slice(at + PRELUDE_BYTES, at + 48);
  repaired.set(sealFooter(identity, prelude, numbers).trailer, at + 48);
  const view = new DataView(numbers.buffer);
  const [offset, length] = [Number(view.getBigUint64(0, true)), view.getUint32(8, true)];
  if (offset + length <= at && length >= RECORD_TRAILER_BYTES) {
    const end = offset + length - RECORD_TRAILER_BYTES;
    repaired.set(sealDirectory(identity, repaired.slice(offset, end)).trailer, end);
  }
  return repaired;
}

const pack = fuzzTarget({
  name: 'pack',
  samples: () => PACKS,
  mutations: BYTE_MUTATIONS,
  repair: repairPack,
  newer: (sample, random) =>
    repairPack(newerPrelude(sample, random, random.integer(2) === 0 ? 0 : sample.length - PACK_FOOTER_BYTES)),
  read: (input) => decodePack(input),
  check: ({ items }, input) => {
    for (const { offset, storedLength, inner, length, plainLength } of items) {
      mustHold(offset + storedLength + RECORD_TRAILER_BYTES <= input.length, 'a record lies beyond its pack');
      mustHold(inner + length <= plainLength, 'an item lies beyond its record');
    }
  },
  errors: ['PACK_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

const wholeSealed = fuzzTarget({
  name: 'sealed-pack',
  samples: () => SEALED_WHOLE,
  mutations: BYTE_MUTATIONS,
  repair: (input) => withCheck(input, PACK_HEADER_BYTES),
  read: (input) =>
    decodePack(input, (name) =>
      sampleKey({ ...sealedHeader(name.class, 1), ...name, keyMode: 'sealed' } as PackHeader),
    ),
  check: (value, input) => {
    const same = SEALED_WHOLE.find((one) => one.length === input.length);
    // Hints of the header, and records, which are opened one by one, are all that may differ.
    mustEqual(value.items, same && decodePack(same, sealedKeyOf).items, 'what a sealed pack holds');
  },
  errors: ['PACK_CORRUPT', 'FORMAT_UNSUPPORTED', 'EPOCH_UNKNOWN', 'NAMESPACE_KEY_GONE'],
});

function sealedKeyOf(name: Parameters<NonNullable<Parameters<typeof decodePack>[1]>>[0]): Uint8Array {
  return sampleKey({ ...sealedHeader(name.class, 1), ...name, keyMode: 'sealed' } as PackHeader);
}

export const PACK_TARGETS: readonly FuzzTarget[] = [
  header,
  footer('pack-footer', PLAIN, PACKS.slice(0, 1)),
  footer('sealed-pack-footer', SEALED, SEALED_WHOLE.slice(0, 1)),
  directory('pack-directory', PLAIN),
  directory('sealed-pack-directory', SEALED),
  framedDirectory('pack-directory-frame', PLAIN, samplePack('data')),
  framedDirectory('sealed-pack-directory-frame', SEALED, sealedPack('data')),
  record('record', PLAIN),
  record('sealed-record', SEALED),
  pack,
  wholeSealed,
];
