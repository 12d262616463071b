// What the guard measures by where the programs are missing: `compress FILE TARGET`, `decompress FILE TARGET` and
// `copy PATH TARGET`, with nothing but Node.
import { createReadStream, createWriteStream } from 'node:fs';
import { cp } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';

const [, , what, source, target] = process.argv;
const PIECE_BYTES = 1024 ** 2;
const streams = {
  compress: () => zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 } }),
  decompress: () => zlib.createZstdDecompress(),
};
if (what === 'copy') await cp(source, target, { recursive: true });
else
  await pipeline(
    createReadStream(source, { highWaterMark: PIECE_BYTES }),
    streams[what](),
    createWriteStream(target, { highWaterMark: PIECE_BYTES }),
  );
