import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readTar, type TarItem, type TarRefusal, writeTar } from '../../src/archive/index.ts';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { MIB } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { archiveOf, bytesOf, END, expectedOf, file, folder, linkTo, pieces, readAll, sameAs, stream } from './items.ts';

const NOT_UTF8 = Uint8Array.of(0x66, 0xff, 0xfe, 0x2f, 0x80, 0x41);
const MARKED = concatBytes([Uint8Array.of(0xef, 0xbb, 0xbf), bytesOf('marked')]);

/** One of everything that has ever made an archive differ from what went in. */
const ITEMS: readonly TarItem[] = [
  folder('', { mode: 0o700 }),
  folder('a'),
  file('a/empty', ''),
  file('a/one', 'x', { mode: 0o4755 }),
  file('a/block', 'y'.repeat(512)),
  file('a/longer', 'z'.repeat(513)),
  folder('d'.repeat(98)),
  folder('d'.repeat(99)),
  folder('d'.repeat(100)),
  folder(`${'d'.repeat(100)}/${'e'.repeat(54)}`),
  file('n'.repeat(99), '1'),
  file('n'.repeat(100), '2'),
  file('n'.repeat(101), '3'),
  file(`${'p'.repeat(155)}/${'n'.repeat(100)}`, '4'),
  file(`${'very/'.repeat(400)}long`, '5'),
  file('ä/ß/日本', 'text'),
  file(NOT_UTF8, 'no text'),
  file(MARKED, 'marked'),
  file('line\nbreak\ttab = 7 "quoted"', 'odd'),
  file(' ', 'a space'),
  file('a\\b:c', 'odd elsewhere'),
  file('\ufffd', 'really that'),
  linkTo('link', 'a/one'),
  linkTo('out', '../../etc/passwd'),
  linkTo('far', 't'.repeat(300)),
  linkTo('odd', NOT_UTF8),
  sameAs('same', 'a/one'),
  sameAs('same long', `${'very/'.repeat(400)}long`),
  file('times/exact', '', { mtime: '2026-11-21T20:00:00.123456789Z' }),
  file('times/tenth', '', { mtime: '2026-11-21T20:00:00.100000000Z' }),
  file('times/zero', '', { mtime: '1970-01-01T00:00:00.000000000Z' }),
  file('times/before', '', { mtime: '1969-12-31T23:59:59.500000000Z' }),
  file('times/long before', '', { mtime: '1900-02-03T04:05:06.000000000Z' }),
  file('times/year 0', '', { mtime: '0000-01-01T00:00:00.000000001Z' }),
  file('times/2242', '', { mtime: '2242-03-16T12:56:31.000000000Z' }),
  file('times/2243', '', { mtime: '2243-01-01T00:00:00.000000000Z' }),
  file('times/late', '', { mtime: '9999-12-31T23:59:59.999999999Z' }),
];

describe.each(['none', 'gzip', 'zstd'] as const)('an archive compressed with %s', (compression) => {
  it('comes out as it went in, however it is cut', async () => {
    const archive = await archiveOf(ITEMS, { compression });
    const expected = await Promise.all(ITEMS.map(expectedOf));
    for (const pieceBytes of [archive.length, 511, 1000]) {
      expect(await readAll(pieces(archive, pieceBytes))).toEqual(expected);
    }
  });

  it('has the same bytes every time', async () => {
    const one = createHash('sha256')
      .update(await archiveOf(ITEMS, { compression }))
      .digest('hex');
    const other = createHash('sha256')
      .update(await archiveOf(ITEMS, { compression }))
      .digest('hex');
    expect(one).toBe(other);
  });

  it('holds random items', async () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const random = seededRandom(seed);
      const items = Array.from({ length: random.integer(20) }, (_, index) => {
        const name = random
          .bytes(1 + random.integer(random.integer(8) === 0 ? 600 : 20))
          .map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte));
        const path = concatBytes([bytesOf(`${index}-`), name]);
        const mtime = `20${10 + random.integer(80)}-01-01T00:00:00.${String(random.integer(1e9)).padStart(9, '0')}Z`;
        return file(path, random.bytes(random.integer(3000)), { mode: random.integer(0o10000), mtime });
      });
      const archive = await archiveOf(items, { compression });
      const read = await readAll(pieces(archive, 1 + random.integer(5000)));
      expect(read, `seed ${seed}`).toEqual(await Promise.all(items.map(expectedOf)));
    }
  });

  it('streams many items and large contents in little memory', async () => {
    // More than the history of any compressor here, so that it does not become small.
    const content = seededRandom(1).bytes(8 * MIB);
    const items = compression === 'none' ? 100_000 : 10_000;
    const mebibytes = 64;
    let given = 0;
    async function* source(): AsyncGenerator<TarItem> {
      for (let index = 0; index < items; index += 1) yield folder(`folder ${index}`);
      yield file('large', '', {
        size: mebibytes * MIB,
        content: async function* () {
          for (let index = 0; index < mebibytes; index += 1) {
            given += MIB;
            yield content.subarray((index % 8) * MIB, ((index % 8) + 1) * MIB);
          }
        },
      });
    }
    let count = 0;
    let read = 0;
    let aheadMost = 0;
    for await (const item of readTar(writeTar(source(), { compression }))) {
      count += 1;
      if (item.type !== 'file' || item.content === undefined) continue;
      for await (const bytes of item.content()) {
        read += bytes.length;
        aheadMost = Math.max(aheadMost, given - read);
      }
    }
    expect({ count, read }).toEqual({ count: items + 1, read: mebibytes * MIB });
    // 8 MiB in the library, and pieces on their way through compressors.
    expect(aheadMost).toBeLessThan(16 * MIB);
  });
});

describe('writing an archive', () => {
  it('asks for no more than what is read', async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<TarItem> {
      try {
        for (let index = 0; ; index += 1) {
          given += 1;
          yield file(`file ${index}`, new Uint8Array(MIB));
        }
      } finally {
        given = -given;
      }
    }
    const archive = writeTar(endless());
    await archive.next();
    await archive.next();
    expect(given).toBeLessThan(16);
    await archive.return(undefined);
    expect(given).toBeLessThan(0);
  });

  it.each([
    ['shorter', 1001, 1000],
    ['longer', 999, 1000],
    ['much longer', 0, 100_000],
  ])('fails when a content is %s than its size', async (_, size, actual) => {
    const items = [file('a', 'fine'), file('b', new Uint8Array(actual), { size }), file('c', 'never')];
    await expect(archiveOf(items)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      details: { path: 'b', expected: size },
    });
    const { content, ...without } = items[1]!;
    expect(content).toBeDefined();
    if (size > 0) await expect(archiveOf([without])).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });

  it('hands on what fails in items and contents', async () => {
    const boom = new Error('boom');
    // biome-ignore lint/correctness/useYield: it fails before it has anything
    const failing = async function* (): AsyncGenerator<never> {
      throw boom;
    };
    await expect(Array.fromAsync(writeTar(failing()))).rejects.toBe(boom);
    await expect(archiveOf([file('a', 'abc', { content: failing })], { compression: 'gzip' })).rejects.toBe(boom);
  });

  it('refuses items that cannot be written, one by one or as a whole', async () => {
    const wrong = [
      file('../up', ''),
      file('/root', ''),
      file('a//b', ''),
      file('./a', ''),
      file('a/', ''),
      file('a\0b', ''),
      file('', ''),
      linkTo('nowhere', ''),
      linkTo('nul', 'a\0'),
      sameAs('same', '../x'),
      sameAs('nothing', ''),
      file(NOT_UTF8, '', { size: 8 ** 11 }),
    ];
    const refused: TarRefusal[] = [];
    const archive = await archiveOf([file('a', 'x'), ...wrong, file('b', 'y')], {
      onRefused: (one) => refused.push(one),
    });
    expect(refused.map(({ path }) => path)).toEqual(wrong.map(({ path }) => path));
    expect((await readAll(pieces(archive))).map((item) => Buffer.from(item.path).toString())).toEqual(['a', 'b']);
    for (const item of wrong) {
      await expect(archiveOf([item])).rejects.toMatchObject({ code: /PATH_UNSAFE|ARCHIVE_ITEM_UNSUPPORTED/ });
    }
  });

  it('refuses items of the wrong shape', async () => {
    await expect(archiveOf([file('a', '', { mtime: 'now' })])).rejects.toThrow(/^mtime must be/);
    await expect(archiveOf([file('a', '', { mode: 0o10000 })])).rejects.toThrow(/^mode must be/);
    await expect(archiveOf([file('a', '', { size: -1 })])).rejects.toThrow(/^size must be/);
    await expect(archiveOf([], { compression: 'xz' as 'gzip' })).rejects.toThrow(/^compression must be/);
  });

  it('writes the end of an archive of nothing', async () => {
    expect(await archiveOf([])).toEqual(END);
    expect(await readAll(pieces(await archiveOf([])))).toEqual([]);
  });

  it('keeps contents whose giver uses its memory again', async () => {
    const shared = new Uint8Array(1000);
    const content = async function* () {
      for (let round = 0; round < 4; round += 1) yield shared.fill(round);
    };
    const [item] = await readAll(writeTar(stream([file('a', '', { size: 4000, content })])));
    expect(item).toMatchObject({ bytes: Uint8Array.from({ length: 4000 }, (_, index) => Math.floor(index / 1000)) });
  });
});

describe('reading an archive', () => {
  it('passes over what is not read, and closes its source when it is left', async () => {
    const archive = await archiveOf(ITEMS);
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* pieces(archive, 700);
      } finally {
        closed = true;
      }
    }
    const paths: Uint8Array[] = [];
    for await (const item of readTar(source())) paths.push(item.path);
    expect(paths).toEqual(ITEMS.map(({ path }) => path));
    closed = false;
    for await (const _ of readTar(source())) break;
    expect(closed).toBe(true);
  });

  it('gives a content once, whole or with an error', async () => {
    const reading = readTar(pieces(await archiveOf([file('a', new Uint8Array(9000)), file('b', 'b')]), 512));
    const first = (await reading.next()).value as TarItem;
    const content = first.content!()[Symbol.asyncIterator]();
    await content.next();
    expect(() => first.content!()).toThrow(/^content must be read once, before the next item/);
    const second = (await reading.next()).value as TarItem;
    await expect(content.next()).rejects.toThrow(/^content must be read once/);
    expect(second.path).toEqual(bytesOf('b'));
    await reading.next();
    expect(() => second.content!()).toThrow(/^content must be read once/);
  });

  it('hands on the failure of its source', async () => {
    const boom = new Error('boom');
    async function* source(): AsyncGenerator<Uint8Array> {
      yield (await archiveOf([file('a', new Uint8Array(5000))])).subarray(0, 1000);
      throw boom;
    }
    await expect(readAll(source())).rejects.toBe(boom);
  });
});
