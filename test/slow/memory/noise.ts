/** Writes incompressible bytes to standard output and then, to descriptor 3, their SHA-256: `node noise.ts <bytes>`. */
import { createCipheriv, createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const PIECE_BYTES = 1024 * 1024;

const hash = createHash('sha256');

/** The key stream of a cipher: as random as anything, the same every time, and fast. */
function* noise(bytes: number): Generator<Uint8Array> {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE_BYTES);
  for (let left = bytes; left > 0; left -= PIECE_BYTES) {
    const piece = cipher.update(zeros.subarray(0, Math.min(left, PIECE_BYTES)));
    hash.update(piece);
    yield piece;
  }
}

await pipeline(Readable.from(noise(Number(process.argv[2])), { objectMode: false }), process.stdout);
writeSync(3, hash.digest('hex'));
