/** Archives and compressed bytes of other programs, and records as they are compressed in packs. */
import { readTar, type TarItem, writeTar } from '../../../src/archive/index.ts';
import { encodePax, parsePax } from '../../../src/archive/pax-records.ts';
import { BLOCK_BYTES, parseHeader } from '../../../src/archive/tar-header.ts';
import { formatDecimalTime, formatTimeText, parseDecimalTime, parseTimeText } from '../../../src/archive/tar-time.ts';
import { concatBytes, equalBytes, utf8Encode } from '../../../src/bytes/bytes.ts';
import {
  compressStream,
  compressSync,
  decompressStream,
  decompressSync,
  type StreamCompression,
} from '../../../src/compress/index.ts';
import { SAMPLE_ZSTD_PLAIN, ZSTD_RECORD } from '../../support/format-samples.ts';
import { mustEqual, mustHold } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { type Mutation, pick, smallCount } from '../mutations/mutation.ts';
import { inputParts, partAt, partMutations, partsInput } from '../mutations/parts.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';

const MTIME = '2026-11-21T20:00:00.123456789Z';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* cut(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function gather(pieces: AsyncIterable<Uint8Array>, bytesMax = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    gathered.push(piece.slice());
    bytes += piece.length;
    if (bytes > bytesMax) break;
  }
  return concatBytes(gathered);
}

const ITEMS: readonly TarItem[] = [
  { path: utf8Encode('docs'), type: 'folder', mode: 0o755, mtime: MTIME, size: 0 },
  {
    path: utf8Encode('docs/a.txt'),
    type: 'file',
    mode: 0o644,
    mtime: MTIME,
    size: 5,
    content: () => once(utf8Encode('12345')),
  },
  {
    path: utf8Encode(`${'long/'.repeat(40)}é`),
    type: 'file',
    mode: 0o600,
    mtime: '1969-12-31T23:59:59.500000000Z',
    size: 0,
    content: () => once(new Uint8Array(0)),
  },
  { path: Uint8Array.of(0x64, 0xfc), type: 'link', mode: 0o777, mtime: MTIME, size: 0, target: utf8Encode('../x') },
  { path: utf8Encode('same'), type: 'file', mode: 0o644, mtime: MTIME, size: 0, sameAs: utf8Encode('docs/a.txt') },
];

async function* items(): AsyncGenerator<TarItem> {
  yield* ITEMS;
}

const archive = (): Promise<Uint8Array> => gather(writeTar(items()));

/** Checksums of all blocks that may be headers made right. */
function withChecksums(input: Uint8Array): Uint8Array {
  const repaired = input.slice();
  for (let at = 0; at + BLOCK_BYTES <= repaired.length; at += BLOCK_BYTES) {
    const block = repaired.subarray(at, at + BLOCK_BYTES);
    const isHeader = Buffer.from(block.subarray(257, 262)).toString('latin1') === 'ustar' || block[156] === 0x78;
    if (!isHeader) continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.set(utf8Encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  }
  return repaired;
}

/** Fields of headers: kinds that Holdfast knows and does not, numbers in base 256, GNU tar's magic. */
const changeHeader: Mutation = (input, random) => {
  const changed = input.slice();
  const blocks = Math.floor(changed.length / BLOCK_BYTES);
  const at = BLOCK_BYTES * random.integer(Math.max(1, blocks));
  const set = (offset: number, bytes: Uint8Array): void => {
    if (at + offset + bytes.length <= changed.length) changed.set(bytes, at + offset);
  };
  const numbers = ['00000000000\0', '77777777777\0', '           \0', '-1\0', '0000000000000', '\u0080', 'x'];
  pick(random, [
    () => set(156, utf8Encode(pick(random, [...'0123456789xgLKSVMDNAZ\0']))),
    () => set(124, utf8Encode(pick(random, numbers))),
    () => set(136, utf8Encode(pick(random, numbers))),
    () =>
      set(
        pick(random, [100, 124, 136]),
        Uint8Array.from([pick(random, [0x80, 0xff]), ...random.bytes(pick(random, [7, 11]))]),
      ),
    () => set(257, utf8Encode(pick(random, ['ustar\u000000', 'ustar  \0', '\0\0\0\0\0\0\0\0']))),
    () => set(pick(random, [0, 157, 345]), utf8Encode(pick(random, ['/', '../x', 'a/../b', './', 'a//b', '\0']))),
    () => set(482, Uint8Array.of(1)),
  ])();
  return changed;
};

/** Whole blocks lost, twice, or elsewhere. */
const moveBlocks: Mutation = (input, random) => {
  const blocks = Array.from({ length: Math.ceil(input.length / BLOCK_BYTES) }, (_, index) =>
    input.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
  );
  const at = random.integer(blocks.length + 1);
  const taken = blocks.splice(at, smallCount(random, 4));
  if (random.integer(3) > 0)
    blocks.splice(random.integer(blocks.length + 1), 0, ...taken, ...(random.integer(2) === 0 ? taken : []));
  return concatBytes(blocks);
};

const TAR_MUTATIONS = [changeHeader, changeHeader, changeHeader, moveBlocks, ...BYTE_MUTATIONS];

interface ReadArchive {
  readonly paths: readonly string[];
  readonly refused: number;
}

async function readArchive(input: Uint8Array): Promise<ReadArchive> {
  const paths: string[] = [];
  let refused = 0;
  for await (const item of readTar(once(input))) {
    if (item.type === 'refused') {
      refused += 1;
      mustHold(
        ['PATH_UNSAFE', 'ARCHIVE_ITEM_UNSUPPORTED'].includes(item.error.code),
        'an item is refused for no reason',
      );
      continue;
    }
    paths.push(Buffer.from(item.path).toString('latin1'));
    const content = item.content && (await gather(item.content()));
    mustHold(content === undefined || content.length === item.size, 'content has another size than its item');
    mustHold(
      item.mode >= 0 && item.mode <= 0o7777 && parseTimeText(item.mtime) !== undefined,
      'an item has a mode or time that is none',
    );
  }
  return { paths, refused };
}

function mustBeInside({ paths }: ReadArchive): void {
  for (const path of paths) {
    const parts = path.split('/');
    const isRoot = path === '';
    mustHold(
      isRoot || !parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')),
      'a path leads out of its folder',
    );
  }
}

const tar = fuzzTarget({
  name: 'tar',
  samples: async () => [await archive()],
  mutations: TAR_MUTATIONS,
  repair: withChecksums,
  read: readArchive,
  check: mustBeInside,
  errors: ['ARCHIVE_INVALID'],
});

const packedTar = fuzzTarget({
  name: 'tar-compressed',
  samples: async () => {
    const plain = await archive();
    return Promise.all((['gzip', 'zstd'] as const).map((how) => gather(compressStream(once(plain), how))));
  },
  mutations: BYTE_MUTATIONS,
  read: readArchive,
  check: mustBeInside,
  errors: ['ARCHIVE_INVALID'],
  cost: 'dear',
});

const tarHeader = fuzzTarget({
  name: 'tar-header',
  samples: async () => {
    const whole = await archive();
    // An extended header and, behind its records, the folder it is about.
    return [0, 2].map((index) => whole.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES));
  },
  mutations: [changeHeader, changeHeader, ...BYTE_MUTATIONS],
  repair: (input) => withChecksums(concatBytes([input, new Uint8Array(BLOCK_BYTES)]).subarray(0, BLOCK_BYTES)),
  // The reader never hands on less or more than a block.
  read: (input) => parseHeader(concatBytes([input, new Uint8Array(BLOCK_BYTES)]).subarray(0, BLOCK_BYTES), 0),
  check: ({ mode, size, seconds }) =>
    mustHold(
      mode >= 0 && mode <= 0o7777 && size >= 0 && Number.isSafeInteger(size) && Number.isSafeInteger(seconds),
      'a header has numbers that are none',
    ),
  errors: ['ARCHIVE_INVALID'],
});

const PAX = new Map([
  ['path', utf8Encode('é/x')],
  ['mtime', utf8Encode('1.5')],
  ['size', utf8Encode('99999999999')],
]);

const pax = fuzzTarget({
  name: 'pax-records',
  samples: () => [
    encodePax(PAX),
    encodePax(new Map([['linkpath', new Uint8Array(0)]])),
    utf8Encode('18 GNU.sparse.x=1\n'),
  ],
  mutations: [...BYTE_MUTATIONS, ...TEXT_MUTATIONS],
  read: (input) => parsePax(input, 0),
  check: (records) => {
    const kept = new Map([...records].filter(([name]) => name !== 'GNU.sparse.'));
    mustEqual([...parsePax(encodePax(kept), 0)], [...kept], 'the records');
  },
  errors: ['ARCHIVE_INVALID'],
});

const tarTime = fuzzTarget({
  name: 'tar-time',
  samples: () => ['1763755200.123456789', '-0.5', '0', '-62167219200'].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseDecimalTime(inputText(input)),
  check: (time) => {
    if (time === undefined) return;
    mustEqual(parseDecimalTime(formatDecimalTime(time)), time, 'the time as a decimal');
    const text = formatTimeText(time);
    if (text !== undefined) mustEqual(parseTimeText(text), time, 'the time as text');
  },
  errors: [],
});

const PLAIN = concatBytes([SAMPLE_ZSTD_PLAIN, Uint8Array.from({ length: 5000 }, (_, index) => (index * index) >> 5)]);
const STREAM_BYTES_MAX = 4 * 1024 * 1024;

function stream(how: StreamCompression): FuzzTarget {
  return fuzzTarget({
    name: `${how}-stream`,
    samples: () => Promise.all([PLAIN, new Uint8Array(0)].map((plain) => gather(compressStream(once(plain), how)))),
    mutations: BYTE_MUTATIONS,
    // How much comes out is the caller's to bound.
    read: (input) => gather(decompressStream(cut(input, 1 + (input.length % 600)), how), STREAM_BYTES_MAX),
    check: (plain) => {
      if (how === 'zstd') return;
      // Its checksum is no choice: what comes out is one of the samples, or several one behind the other.
      for (let at = 0; at < plain.length; at += PLAIN.length) {
        mustHold(equalBytes(plain.subarray(at, at + PLAIN.length), PLAIN), 'a stream gives what nobody compressed');
      }
    },
    errors: ['COMPRESSED_CORRUPT'],
    cost: 'dear',
    memoryBytesMax: 64 * 1024 * 1024,
  });
}

const RECORDS = [
  { stored: ZSTD_RECORD.stored, plain: SAMPLE_ZSTD_PLAIN },
  { stored: compressSync(PLAIN).bytes, plain: PLAIN },
];

const record = fuzzTarget({
  name: 'compressed-record',
  samples: () => RECORDS.map(({ stored, plain }) => partsInput([utf8Encode(String(plain.length)), stored])),
  mutations: partMutations([TEXT_MUTATIONS, BYTE_MUTATIONS]),
  read: (input) => {
    const parts = inputParts(input);
    const plainLength = Number(inputText(partAt(parts, 0)));
    return { plainLength, plain: decompressSync(1, partAt(parts, 1), plainLength) };
  },
  check: ({ plain, plainLength }) =>
    mustHold(plain.length === plainLength, 'a record has another length than it was promised to have'),
  errors: ['COMPRESSED_CORRUPT'],
  arguments: true,
  // What is promised may be 32 MiB.
  memoryBytesMax: 80 * 1024 * 1024,
});

export const ARCHIVE_TARGETS: readonly FuzzTarget[] = [
  tar,
  packedTar,
  tarHeader,
  pax,
  tarTime,
  stream('gzip'),
  stream('zstd'),
  record,
];
