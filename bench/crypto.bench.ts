/** What sealing, key derivation and key pairs cost, each on one thread (Argon2 on as many as the system gives it). */

import { type Spread, spreadOf } from '../src/bench/spread.ts';
import { measure, rateOf } from '../src/bench/timing.ts';
import {
  ARGON2_DEFAULT,
  argon2id,
  createKemKeyPair,
  createSigner,
  EnvelopeOpener,
  EnvelopeSealer,
  encapsulate,
  hkdfSha256,
  openAead,
  sealAead,
  verifySignature,
} from '../src/crypto/index.ts';
import { KIB, MIB } from '../src/limits.ts';
import { systemRandom } from '../src/runtime/random.ts';
import type { Bench } from './harness/bench.ts';
import type { Report } from './harness/report.ts';

const ROUND_BYTES = 32 * MIB;
const ROUND_CALLS_MAX = 20_000;
const SIZES = [100, 64 * KIB, MIB];

type Work = () => unknown;

/** Microseconds a call, over `calls` of them a round. */
async function cost(rounds: number, calls: number, work: Work): Promise<Spread> {
  const seconds = await measure(rounds, async () => {
    for (let call = 0; call < calls; call += 1) {
      const done = work();
      if (done instanceof Promise) await done;
    }
  });
  return spreadOf(seconds.samples.map((sample) => (sample / calls) * 1e6));
}

function sealingOf(bytes: number): readonly (readonly [string, Work])[] {
  const key = systemRandom(32);
  const frame = { nonce: systemRandom(12), aad: systemRandom(40) };
  const plain = systemRandom(bytes);
  const { sealed, tag } = sealAead(key, frame, plain);
  const sealer = new EnvelopeSealer(key, systemRandom);
  const opener = new EnvelopeOpener(key);
  const envelope = sealer.seal(plain, frame.aad);
  return [
    ['sealAead', () => sealAead(key, frame, plain)],
    ['openAead', () => openAead(key, { ...frame, tag }, sealed)],
    ['EnvelopeSealer.seal', () => sealer.seal(plain, frame.aad)],
    ['EnvelopeOpener.open', () => opener.open(envelope, frame.aad)],
  ];
}

async function sealingReport(rounds: number): Promise<Report> {
  const rows: Record<string, string | Spread>[] = sealingOf(0).map(([what]) => ({ what }));
  for (const size of SIZES) {
    const calls = Math.min(ROUND_CALLS_MAX, Math.ceil(ROUND_BYTES / size));
    for (const [at, [, work]] of sealingOf(size).entries()) {
      const microseconds = await cost(rounds, calls, work);
      const row = rows[at] ?? {};
      row[`${size} call`] = microseconds;
      row[`${size} rate`] = rateOf(size, spreadOf(microseconds.samples.map((sample) => sample / 1e6)));
    }
  }
  return {
    title: 'crypto: AES-256-GCM with 40 bytes of AAD, one thread',
    columns: [
      { key: 'what', head: 'what' },
      { key: '100 call', head: '100 B', unit: 'us' },
      { key: `${64 * KIB} call`, head: '64 KiB', unit: 'us' },
      { key: `${64 * KIB} rate`, head: '64 KiB', unit: 'MB/s' },
      { key: `${MIB} call`, head: '1 MiB', unit: 'us' },
      { key: `${MIB} rate`, head: '1 MiB', unit: 'MB/s' },
    ],
    rows,
  };
}

async function keyReport(rounds: number): Promise<Report> {
  const seed = systemRandom(64);
  const salt = systemRandom(16);
  const pair = createKemKeyPair(seed);
  const { ciphertext } = encapsulate(pair.publicKey);
  const signers = (['ed25519', 'ml-dsa-87'] as const).map((one) => createSigner(one, seed.subarray(32)));
  const works: readonly (readonly [string, number, Work])[] = [
    ['HKDF-SHA256', 5000, () => hkdfSha256(seed, { salt, info: 'bench' })],
    ['ML-KEM-1024: pair of a seed', 100, () => createKemKeyPair(seed)],
    ['ML-KEM-1024: encapsulate', 200, () => encapsulate(pair.publicKey)],
    ['ML-KEM-1024: decapsulate', 200, () => pair.decapsulate(ciphertext)],
    ...signers.flatMap((signer): readonly (readonly [string, number, Work])[] => {
      const signature = signer.sign(salt);
      return [
        [`${signer.algorithm}: sign`, 50, () => signer.sign(salt)],
        [`${signer.algorithm}: verify`, 50, () => verifySignature(signer, salt, signature)],
      ];
    }),
    ['Argon2id: 64 MiB, 3 passes, 4 lanes', 1, () => argon2id(seed, { ...ARGON2_DEFAULT, salt })],
  ];
  const rows = [];
  for (const [what, calls, work] of works) rows.push({ what, call: await cost(rounds, calls, work) });
  return {
    title: 'crypto: keys',
    columns: [
      { key: 'what', head: 'what' },
      { key: 'call', head: 'a call', unit: 'us' },
    ],
    rows,
  };
}

export const bench: Bench = {
  name: 'crypto',
  about: 'what sealing, key derivation and key pairs cost',
  run: async ({ rounds }) => [await sealingReport(rounds), await keyReport(rounds)],
};
