import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIB } from '../limits.ts';
import { createChunkerOver } from './chunker.ts';
import { gearTable } from './gear-table.ts';
import type { ScanKernel } from './kernel/scan-kernel.ts';
import { twinKernel } from './kernel/scan-twin.ts';
import { wasmKernel } from './kernel/scan-wasm.ts';
import { CHUNKING_PROFILES } from './profiles.ts';
import type { FastCdcSpec } from './spec.ts';

const FIXTURE = path.resolve(import.meta.dirname, '../../../shared/vectors/fastcdc/SekienAkashita.jpg');
if (!existsSync(FIXTURE)) {
  console.warn(
    'skipped: the FastCDC fixture; put test/fixtures/SekienAkashita.jpg of nlfiedler/fastcdc-rs at ' +
      '../shared/vectors/fastcdc/ beside the checkout',
  );
}

/** The masks of fastcdc-rs that the reference below needs, by their number of bits. */
const MASK_OF_BITS = new Map([
  [5, 0x1804110n],
  [6, 0x1803110n],
  [7, 0x18035100n],
  [8, 0x1800035300n],
  [9, 0x19000353000n],
  [10, 0x590003530000n],
  [11, 0xd90003530000n],
  [12, 0xd90103530000n],
  [13, 0xd90303530000n],
  [14, 0xd90313530000n],
  [15, 0xd90f03530000n],
]);

function tableEntry(table: Uint32Array, byte: number): bigint {
  return (BigInt(table[2 * byte + 1]!) << 32n) | BigInt(table[2 * byte]!);
}

/** Section 3.7 of the paper to the letter, two bytes a step with shifted table and masks. Returns [hash, length]. */
function referenceCut(content: Uint8Array, spec: FastCdcSpec): [bigint, number] {
  if (content.length <= spec.min) return [0n, content.length];
  const table = gearTable(spec.seed);
  const bits = Math.round(Math.log2(spec.avg));
  const remaining = Math.min(content.length, spec.max);
  const center = Math.min(spec.avg, remaining);
  let hash = 0n;
  for (let pair = spec.min >> 1; pair < remaining >> 1; pair += 1) {
    const mask = MASK_OF_BITS.get(pair < center >> 1 ? bits + spec.normalisation : bits - spec.normalisation)!;
    const at = 2 * pair;
    hash = BigInt.asUintN(64, (hash << 2n) + (tableEntry(table, content[at]!) << 1n));
    if ((hash & (mask << 1n)) === 0n) return [hash, at];
    hash = BigInt.asUintN(64, hash + tableEntry(table, content[at + 1]!));
    if ((hash & mask) === 0n) return [hash, at + 1];
  }
  return [hash, remaining];
}

function referenceLengths(content: Uint8Array, spec: FastCdcSpec): number[] {
  const lengths: number[] = [];
  for (let rest = content; rest.length > 0; rest = rest.subarray(lengths.at(-1)!)) {
    lengths.push(referenceCut(rest, spec)[1]);
  }
  return lengths;
}

/** The fingerprint fastcdc-rs reports for a chunk of `length` at the front of `content`, rolled by the kernel. */
function fingerprint(
  kernel: ScanKernel,
  content: Uint8Array,
  chunk: { readonly spec: FastCdcSpec; readonly length: number },
) {
  const { spec, length } = chunk;
  const roll = { table: gearTable(spec.seed), maskHi: 0xffffffff, maskLo: 0xffffffff, hashHi: 0, hashLo: 0 };
  const fired = length < content.length && length < spec.max;
  kernel.gear(content.subarray(spec.min & ~1, fired ? length + 1 : length & ~1), roll);
  const hash = (BigInt(roll.hashHi) << 32n) | BigInt(roll.hashLo);
  // The published algorithm tests a byte at an even index in shifted form and reports that.
  return BigInt.asUintN(64, fired && length % 2 === 0 ? hash << 1n : hash);
}

function fastcdc(sizes: readonly [number, number, number], normalisation: 0 | 1 | 2 | 3 = 1, seed = 0n): FastCdcSpec {
  const [min, avg, max] = sizes;
  return { kind: 'fastcdc', min, avg, max, normalisation, seed };
}

/** From the tests of fastcdc-rs, src/v2020/mod.rs: fingerprint and length of every chunk of the fixture. */
const FIXTURE_CUTS: readonly [string, FastCdcSpec, readonly (readonly [bigint, number])[]][] = [
  [
    '16 KiB',
    fastcdc([4096, 16384, 65535]),
    [
      [17968276318003433923n, 21325],
      [8197189939299398838n, 17140],
      [13019990849178155730n, 28084],
      [4509236223063678303n, 18217],
      [2504464741100432583n, 24700],
    ],
  ],
  [
    '16 KiB with seed 666',
    fastcdc([4096, 16384, 65535], 1, 666n),
    [
      [9312357714466240148n, 10605],
      [226910853333574584n, 55745],
      [12271755243986371352n, 11346],
      [14153975939352546047n, 5883],
      [5890158701071314778n, 11586],
      [8981594897574481255n, 14301],
    ],
  ],
  [
    '32 KiB',
    fastcdc([8192, 32768, 131072]),
    [
      [15733367461443853673n, 66549],
      [6321136627705800457n, 42917],
    ],
  ],
  ['64 KiB', fastcdc([16384, 65536, 262144]), [[2504464741100432583n, 109466]]],
  [
    '16 KiB, level 0',
    fastcdc([4096, 16384, 65535], 0),
    [
      [443122261039895162n, 6634],
      [15733367461443853673n, 59915],
      [10460176299449652894n, 25597],
      [6197802202431009942n, 5237],
      [6321136627705800457n, 12083],
    ],
  ],
  [
    '16 KiB, level 3',
    fastcdc([8192, 16384, 32768], 3),
    [
      [10718006254707412376n, 17350],
      [13104072099671895560n, 19911],
      [12322483109039221194n, 17426],
      [16009206469796846404n, 17519],
      [2473608525189754172n, 19940],
      [2504464741100432583n, 17320],
    ],
  ],
];

const kernels: [string, ScanKernel][] = [
  ['WebAssembly', wasmKernel()],
  ['twin', twinKernel],
];

describe.each(kernels)('FastCDC over the %s kernel', (_, kernel) => {
  function lengths(content: Uint8Array, spec: FastCdcSpec): number[] {
    const chunker = createChunkerOver(spec, kernel);
    return [...chunker.push(content), ...chunker.finish()].map((chunk) => chunk.length);
  }

  it.skipIf(!existsSync(FIXTURE)).each(FIXTURE_CUTS)('cuts the fixture as fastcdc-rs does: %s', (_name, spec, cuts) => {
    const content = readFileSync(FIXTURE);
    expect(lengths(content, spec)).toEqual(cuts.map(([, length]) => length));
    let rest: Uint8Array = content;
    for (const [hash, length] of cuts) {
      expect(fingerprint(kernel, rest, { spec, length })).toBe(hash);
      rest = rest.subarray(length);
    }
  });

  it('cuts 10,240 zeros with 64/256/1024 into ten chunks of 1,024', () => {
    const spec = fastcdc([64, 256, 1024]);
    const zeros = new Uint8Array(10_240);
    expect(lengths(zeros, spec)).toEqual(new Array(10).fill(1024));
    expect(fingerprint(kernel, zeros, { spec, length: 1024 })).toBe(14169102344523991076n);
  });

  it('cuts the prefix-insert content of chunkstore as chunkstore does', () => {
    const base = prefixInsertBase();
    const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(sha256(base)).toBe('d49608f917c2ca64fd05dd6f179d9586a2b60414a31d1caa00e30b1f17af4f53');
    const spec = CHUNKING_PROFILES.chunkstore;
    expect(lengths(base, spec)).toEqual([2040354, 5795095, 5593243, 2209259, 5333569]);
    const edited = Uint8Array.from([0xab]);
    const chunker = createChunkerOver(spec, kernel);
    const chunks = [...chunker.push(edited), ...chunker.push(base), ...chunker.finish()];
    expect(chunks.map(sha256)).toEqual([
      '931b2d09833a297a5c7985f801234d8808f2578eb167431355565f052048e5c8',
      '7f8132e5d0b437e4119206bcb464eca30e8c6c7d9c1a9be1b4c41397579ca15b',
      '17a608d0dd02bb56645ba1586dc3113128d7afe95a338ba0d16cdda667191789',
      '3ac6ddbcf31751383fcfec8e67479cdc33bbfa5c8c8b9bc56de4ae112404fc20',
      'fb3c5aae6ee9d6c13a37dbd99736f8897dcb67e87765ff0c562d7a7a571813f8',
    ]);
  });

  it('cuts where the published two-byte algorithm cuts, for any sizes, level, seed and content', () => {
    const specs = fc
      .record({
        min: fc.integer({ min: 64, max: 700 }),
        avg: fc.integer({ min: 256, max: 1500 }),
        max: fc.integer({ min: 1024, max: 4000 }),
        normalisation: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
        seed: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      })
      .filter(({ min, avg, max }) => min <= avg && avg <= max)
      .map((fields): FastCdcSpec => ({ kind: 'fastcdc', ...fields }));
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 9000, size: 'max' }),
      fc.array(fc.constantFrom(0, 1, 255), { maxLength: 9000, size: 'max' }).map((bytes) => Uint8Array.from(bytes)),
    );
    fc.assert(
      fc.property(specs, contents, (spec, content) => {
        expect(lengths(content, spec)).toEqual(referenceLengths(content, spec));
      }),
      { numRuns: 150 },
    );
  });
});

/** 20 MiB: byte i is the XOR of bytes 1, 2 and 3 of i * 0x9e3779b9. */
function prefixInsertBase(): Uint8Array {
  const base = new Uint8Array(20 * MIB);
  for (let index = 0; index < base.length; index += 1) {
    const word = Math.imul(index, 0x9e3779b9);
    base[index] = (word >>> 24) ^ (word >>> 16) ^ (word >>> 8);
  }
  return base;
}
