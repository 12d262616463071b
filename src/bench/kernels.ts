/** What one core does of each step that content goes through, in one thread and nothing else around it. */
import { createChunker, parseChunking } from '../chunking/index.ts';
import { COMPRESSION_LEVEL_DEFAULT, compressSync, decompressSync } from '../compress/index.ts';
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, openAead, sealAead } from '../crypto/index.ts';
import { createReedSolomon, parseRedundancy } from '../erasure/index.ts';
import { blake3 } from '../hash/index.ts';
import { MIB } from '../limits.ts';
import { systemRandom } from '../runtime/random.ts';
import { type Figure, figureOf } from './figure.ts';
import { wordyContent } from './sample-content.ts';
import { measureFor, rateOf, type TimeBudget } from './timing.ts';

/** A run of each kernel: long against the clock, short enough for an abort. */
const SAMPLE_BYTES = 4 * MIB;
const REDUNDANCY = '3+2';

interface Kernel {
  readonly id: string;
  readonly what: string;
  /** Plain bytes of one run. */
  readonly bytes: number;
  run(): void;
}

function aeadKernels(content: Uint8Array): readonly Kernel[] {
  const key = new Uint8Array(AEAD_KEY_BYTES).fill(1);
  const frame = { nonce: new Uint8Array(AEAD_NONCE_BYTES), aad: new Uint8Array(0) };
  const { sealed, tag } = sealAead(key, frame, content);
  return [
    { id: 'seal', what: 'seal: AES-256-GCM', bytes: content.length, run: () => sealAead(key, frame, content) },
    {
      id: 'open',
      what: 'open: AES-256-GCM',
      bytes: content.length,
      run: () => openAead(key, { ...frame, tag }, sealed),
    },
  ];
}

function compressKernels(pieces: readonly Uint8Array[]): readonly Kernel[] {
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const compressed = pieces.map((piece) => compressSync(piece));
  return [
    {
      id: 'compress',
      what: `compress: zstd ${COMPRESSION_LEVEL_DEFAULT}, records of 1 MiB`,
      bytes,
      run: () => {
        for (const piece of pieces) compressSync(piece);
      },
    },
    {
      id: 'decompress',
      what: 'decompress',
      bytes,
      run: () => {
        for (const [at, { codec, bytes: record }] of compressed.entries())
          decompressSync(codec, record, pieces[at]!.length);
      },
    },
  ];
}

function erasureKernel(): Kernel {
  const { k, m } = parseRedundancy(REDUNDANCY);
  const shards = Array.from({ length: k + m }, (_, index) => new Uint8Array(MIB).fill(index + 1));
  const code = createReedSolomon({ k, m });
  return {
    id: 'erasure',
    what: `parity: Reed-Solomon ${REDUNDANCY}, shards of 1 MiB`,
    bytes: k * MIB,
    run: () => code.encode(shards),
  };
}

function cut(content: Uint8Array): void {
  const chunker = createChunker(parseChunking('default'));
  for (const _chunk of chunker.push(content));
  for (const _chunk of chunker.finish());
}

/** @returns plain bytes a second of cutting, hashing, compressing, sealing, and back, and of parity */
export async function measureKernels(budget: TimeBudget, say: (what: string) => void): Promise<readonly Figure[]> {
  const pieces = [...wordyContent(SAMPLE_BYTES, systemRandom)];
  const content = new Uint8Array(Buffer.concat(pieces));
  const bytes = content.length;
  const kernels: readonly Kernel[] = [
    { id: 'cut', what: 'cut: FastCDC, default chunking', bytes, run: () => cut(content) },
    { id: 'hash', what: 'hash: BLAKE3', bytes, run: () => blake3(content) },
    ...compressKernels(pieces),
    ...aeadKernels(content),
    erasureKernel(),
  ];
  const figures: Figure[] = [];
  for (const { id, what, bytes: runBytes, run } of kernels) {
    say(what);
    // The first run pays for compilation and page faults.
    run();
    const rate = rateOf(runBytes, await measureFor(budget, run));
    figures.push(figureOf({ id: `kernel.${id}`, what, unit: 'MB/s' }, rate));
  }
  return figures;
}
