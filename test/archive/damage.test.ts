import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTar } from '../../src/archive/index.ts';
import { concatBytes } from '../../src/bytes/bytes.ts';
import { isStoreError } from '../../src/errors/store-error.ts';
import { MIB } from '../../src/limits.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { archiveOf, bytesOf, END, file, folder, header, linkTo, padded, pieces, readAll } from './items.ts';

function read(...parts: readonly Uint8Array[]): ReturnType<typeof readAll> {
  return readAll(pieces(concatBytes(parts)));
}

async function failure(...parts: readonly Uint8Array[]): Promise<{ readonly message: string }> {
  return read(...parts).then(
    () => expect.unreachable('nothing was thrown'),
    (error: unknown) => {
      expect(isStoreError(error, 'ARCHIVE_INVALID')).toBe(true);
      return error as { readonly message: string };
    },
  );
}

function pax(...records: readonly string[]): Uint8Array {
  const body = bytesOf(records.join(''));
  return concatBytes([header({ name: 'PaxHeader', flag: 'x', size: body.length }), padded(body)]);
}

/** Numbers of GNU tar that do not fit octal digits. */
function base256(value: bigint, width = 12): Uint8Array {
  const field = new Uint8Array(width);
  let rest = BigInt.asUintN(width * 8 - 1, value);
  for (let index = width - 1; index >= 0; index -= 1) {
    field[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  field[0]! |= 0x80;
  return field;
}

const HELLO = concatBytes([header({ name: 'hello', size: 5 }), padded('hello')]);

describe('an archive of another program', () => {
  it('may be of GNU tar, with long names and large numbers', async () => {
    const long = `${'g'.repeat(200)}/name`;
    const name = concatBytes([
      header({ name: '././@LongLink', flag: 'L', size: long.length + 1, magic: 'ustar  ' }),
      padded(`${long}\0`),
    ]);
    const target = concatBytes([
      header({ name: '././@LongLink', flag: 'K', size: long.length + 1, magic: 'ustar  ' }),
      padded(`${long}\0`),
    ]);
    const link = header({ name: 'cut', flag: '2', link: 'cut', magic: 'ustar  ', mtime: base256(-86_400n) });
    const items = await read(
      name,
      target,
      link,
      header({ size: base256(5n), prefix: 'no prefix', magic: 'ustar  ' }),
      padded('hello'),
      END,
    );
    expect(items).toMatchObject([
      { path: bytesOf(long), type: 'link', target: bytesOf(long), mtime: '1969-12-31T00:00:00.000000000Z' },
      { path: bytesOf('a'), type: 'file', bytes: bytesOf('hello') },
    ]);
  });

  it('may be old, or use what POSIX leaves open', async () => {
    const old = [
      header({ name: 'folder/', flag: '\0', magic: '' }),
      header({ name: 'file', flag: '\0', magic: '' }),
      header({ name: 'whole', flag: '7', size: 5 }),
      padded('hello'),
      header({ name: 'name', prefix: 'pre/fix' }),
      header({ name: './dots/./and//slashes' }),
      header({ name: './', flag: '5', size: 4096 }),
      header({ name: 'mode', mode: ' 100644 ' }),
      header({ name: 'same', flag: '1', link: './file', size: 5000 }),
    ];
    expect(await read(...old, END)).toMatchObject([
      { path: bytesOf('folder'), type: 'folder' },
      { path: bytesOf('file'), type: 'file', size: 0 },
      { path: bytesOf('whole'), bytes: bytesOf('hello') },
      { path: bytesOf('pre/fix/name') },
      { path: bytesOf('dots/and/slashes') },
      { path: bytesOf(''), type: 'folder', size: 0 },
      { path: bytesOf('mode'), mode: 0o644 },
      { path: bytesOf('same'), sameAs: bytesOf('file'), size: 0 },
    ]);
  });

  it('may say things for all items and take them back', async () => {
    const body = '23 mtime=1700000000.25\n14 path=all-y\n';
    const all = concatBytes([header({ flag: 'g', size: body.length }), padded(body)]);
    const items = await read(
      all,
      HELLO,
      pax('9 mtime=\n', '8 path=\n'),
      HELLO,
      pax('10 path=b\n', '20 comment=whatever\n'),
      HELLO,
      END,
    );
    expect(items).toMatchObject([
      { path: bytesOf('all-y'), mtime: '2023-11-14T22:13:20.250000000Z' },
      { path: bytesOf('hello') },
      { path: bytesOf('b'), mtime: '2023-11-14T22:13:20.250000000Z' },
    ]);
  });

  it('may hold the size of a large file in a record', async () => {
    const items = await read(pax('10 size=5\n'), header({ name: 'large' }), padded('hello'), HELLO, END);
    expect(items).toMatchObject([
      { path: bytesOf('large'), size: 5, bytes: bytesOf('hello') },
      { path: bytesOf('hello') },
    ]);
  });

  it('may end after one block of zeros, never without', async () => {
    expect(await read(HELLO, END.subarray(512))).toHaveLength(1);
    expect(await read(HELLO, new Uint8Array(10_240))).toHaveLength(1);
    expect((await failure(HELLO)).message).toMatch(/cut off/);
    expect((await failure(HELLO, END, HELLO)).message).toMatch(/something follows its end/);
    expect((await failure(HELLO, END.subarray(512), HELLO, END)).message).toMatch(/something follows its end/);
  });
});

describe('an item', () => {
  it.each([
    '/etc/passwd',
    '../up',
    'a/../../b',
    'a/..',
    '..',
    '/',
    '//',
  ])('is refused at %s, and the rest goes on', async (name) => {
    const items = await read(
      header({ name, size: 5 }),
      padded('hello'),
      header({ name: 'same', flag: '1', link: name }),
      HELLO,
      END,
    );
    expect(items).toMatchObject([
      {
        type: 'refused',
        path: bytesOf(name),
        error: { code: 'PATH_UNSAFE', kind: 'invalid', details: { path: name } },
      },
      { type: 'refused', path: bytesOf('same'), error: { code: 'PATH_UNSAFE' } },
      { path: bytesOf('hello'), bytes: bytesOf('hello') },
    ]);
    const body = `path=${name}\n`;
    const record = `${body.length + 3} ${body}`;
    expect(await read(pax(record), HELLO, END)).toMatchObject([{ type: 'refused', error: { code: 'PATH_UNSAFE' } }]);
  });

  it('with a NUL in a record is refused', async () => {
    expect(await read(pax('12 path=a\0b\n'), HELLO, END)).toMatchObject([
      { type: 'refused', error: { code: 'PATH_UNSAFE' } },
    ]);
  });

  it.each([
    ['a character device', header({ flag: '3' })],
    ['a block device', header({ flag: '4' })],
    ['a pipe', header({ flag: '6', size: 99 })],
    ['the label of a volume', header({ flag: 'V' })],
    ['the listing of a folder', concatBytes([header({ flag: 'D', size: 3 }), padded('Ya\0')])],
    ['of a kind nobody knows', concatBytes([header({ flag: 'Z', size: 3 }), padded('abc')])],
    ['a sparse file', concatBytes([pax('22 GNU.sparse.major=1\n'), header({ size: 3 }), padded('abc')])],
    ['a file that is the root', header({ name: './.' })],
    ['a link to nowhere', header({ flag: '2' })],
    ['from the far future', header({ mtime: base256(2n ** 50n) })],
    ['of no time', concatBytes([pax('14 mtime=soon\n'), header({})])],
  ])('that is %s is refused, and the rest goes on', async (_, bytes) => {
    expect(await read(bytes, HELLO, END)).toMatchObject([
      {
        type: 'refused',
        error: { code: 'ARCHIVE_ITEM_UNSUPPORTED', kind: 'unsupported', details: { path: expect.any(String) } },
      },
      { path: bytesOf('hello'), bytes: bytesOf('hello') },
    ]);
  });

  it('that is an old sparse file is passed over with its map', async () => {
    const sparse = new Uint8Array(header({ flag: 'S', size: 3, magic: 'ustar  ' }));
    sparse[482] = 1;
    sparse.fill(0x20, 148, 156);
    sparse.set(
      bytesOf(
        `${sparse
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
      ),
      148,
    );
    const more = new Uint8Array(512);
    more[504] = 1;
    const items = await read(sparse, more, new Uint8Array(512), padded('abc'), HELLO, END);
    expect(items).toMatchObject([{ type: 'refused' }, { path: bytesOf('hello') }]);
  });
});

describe('what is no archive', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', bytesOf('hello\n'.repeat(1000))],
    ['a short text', bytesOf('hello')],
    ['xz', concatBytes([Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), new Uint8Array(600)])],
    ['gzip of text', gzipSync(bytesOf('hello'.repeat(1000)))],
    ['gzip, cut off', gzipSync(concatBytes([HELLO, END])).subarray(0, -1)],
    ['zstd, cut off', zstdCompressSync(concatBytes([HELLO, END])).subarray(0, -1)],
    ['a wrong checksum', HELLO.with(0, 0x48)],
    ['a number that is none', header({ size: bytesOf('00000zz') })],
    ['a negative size', header({ size: base256(-1n) })],
    ['a size beyond numbers', header({ size: base256(2n ** 80n) })],
    ['a record of a wrong length', concatBytes([pax('99 path=b\n'), HELLO, END])],
    ['a record without an end', concatBytes([pax('10 path=bx'), HELLO, END])],
    ['a record without a key', concatBytes([pax('5 =b\n'), HELLO, END])],
    ['a record of length 0', concatBytes([pax('0 path=b\n'), HELLO, END])],
    ['a size of letters', concatBytes([pax('13 size=five\n'), HELLO, END])],
    ['an extended header of nothing', concatBytes([pax('10 path=b\n'), END])],
  ])('is refused: %s', async (_, bytes) => {
    await failure(bytes);
  });

  it('is what is cut off anywhere', async () => {
    const archive = await archiveOf([file('ä', 'hello'), folder('b'), file('c', new Uint8Array(700))]);
    for (let length = 0; length < archive.length - 512; length += 37) await failure(archive.subarray(0, length));
  });
});

describe('an archive that promises much', () => {
  it.each([
    ['a file of eight petabytes', header({ size: base256(2n ** 53n - 1n) })],
    ['an extended header of a gigabyte', header({ flag: 'x', size: 2 ** 30 })],
    ['a long name of a gigabyte', header({ flag: 'L', size: 2 ** 30 })],
  ])('takes no memory for %s', async (_, start) => {
    const before = process.memoryUsage().arrayBuffers;
    async function* source(): AsyncGenerator<Uint8Array> {
      yield start;
      for (let index = 0; index < 64; index += 1) yield new Uint8Array(MIB);
    }
    let most = 0;
    const reading = async () => {
      for await (const item of readTar(source())) {
        if (item.type !== 'file') continue;
        for await (const _ of item.content!()) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' });
    expect(most).toBeLessThan(100 * MIB);
  });

  it('takes no memory for records that nobody reads', async () => {
    const value = 'v'.repeat(1_000_000);
    const record = (key: string) => pax(`${value.length + key.length + 10} ${key}=${value}\n`);
    const parts = Array.from({ length: 50 }, (_, index) => record(String(index).padStart(2, '0'))).map((one) => {
      const global = new Uint8Array(one);
      global.set(header({ flag: 'g', size: 1_000_012 }));
      return global;
    });
    expect(await read(...parts, HELLO, END)).toHaveLength(1);
  });

  it('is decompressed no faster than it is read', async () => {
    const bomb = gzipSync(concatBytes([header({ size: 64 * MIB }), new Uint8Array(64 * MIB), END]));
    expect(bomb.length).toBeLessThan(100_000);
    let given = 0;
    for await (const item of readTar(pieces(bomb, 1000))) {
      if (item.type !== 'file') continue;
      for await (const piece of item.content!()) {
        given += piece.length;
        if (given > MIB) break;
      }
      break;
    }
    expect(given).toBeLessThan(2 * MIB);
  });
});

describe('a damaged archive', () => {
  it.each(['none', 'gzip', 'zstd'] as const)('gives items or one error, compressed with %s', async (compression) => {
    const items = [
      folder('a'),
      file('a/ä', 'text'),
      linkTo('b', 'a'),
      file('c', seededRandom(1).bytes(2000)),
      file('d'.repeat(300), 'x'),
    ];
    const whole = await archiveOf(items, { compression });
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = seededRandom(seed);
      const bytes = new Uint8Array(whole);
      for (let flips = 1 + random.integer(5); flips > 0; flips -= 1)
        bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
      try {
        await readAll(pieces(bytes, 1 + random.integer(2000)));
      } catch (error) {
        if (!isStoreError(error, 'ARCHIVE_INVALID')) throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });

  it('gives items or one error, whatever its headers say', async () => {
    const flags = ['0', '1', '2', '5', '7', 'x', 'g', 'L', 'K', 'S', 'V', '\0', 'A'];
    for (let seed = 1; seed <= 1500; seed += 1) {
      const random = seededRandom(seed);
      const parts = Array.from({ length: 1 + random.integer(8) }, () => {
        const size = random.integer(3) === 0 ? random.integer(700) : 0;
        const flag = flags[random.integer(flags.length)]!;
        const records = ['10 path=b\n', '9 mtime=\n', '10 size=9\n', '14 size=99999\n', '25 GNU.sparse.realsize=1\n'];
        const body = random.integer(2) ? bytesOf(records[random.integer(records.length)]!) : random.bytes(size);
        return concatBytes([header({ flag, size: body.length, link: random.integer(2) ? 'x' : '' }), padded(body)]);
      });
      try {
        await readAll(pieces(concatBytes([...parts, END]), 1 + random.integer(2000)));
      } catch (error) {
        if (!isStoreError(error, 'ARCHIVE_INVALID')) throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
});
