import { argumentTypeError } from '../errors/argument-error.ts';
import { CHUNKING_PROFILES, profileNamed } from './profiles.ts';
import { type ChunkingSpec, checkChunking, chunkingInvalid, type FastCdcSpec } from './spec.ts';

const LEGAL =
  'fixed:BYTES, fastcdc:MIN:AVG:MAX[:NORMALISATION[:SEED]], buzhash:MIN:MAX:MASKBITS, given, or one of ' +
  Object.keys(CHUNKING_PROFILES).join(', ');

/** Normalisation where the text names none: that of fastcdc-rs. */
const NORMALISATION_DEFAULT = '1';

const INTEGER = /^(?:0|[1-9][0-9]{0,19})$/;

function specFrom(kind: string, fields: readonly string[]): ChunkingSpec | undefined {
  const numbers = fields.map(Number);
  const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = numbers;
  if (kind === 'fixed' && fields.length === 1) return { kind, bytes: first };
  if (kind === 'given' && fields.length === 0) return { kind };
  if (kind === 'buzhash' && fields.length === 3) return { kind, min: first, max: second, maskBits: third, window: 32 };
  if (kind === 'fastcdc' && fields.length >= 3 && fields.length <= 5) {
    const [normalisation, seed] = [fields[3] ?? NORMALISATION_DEFAULT, fields[4] ?? '0'];
    const level = Number(normalisation) as FastCdcSpec['normalisation'];
    return { kind, min: first, avg: second, max: third, normalisation: level, seed: BigInt(seed) };
  }
  return undefined;
}

/**
 * Reads a spec from text, as it stands in settings and on the command line: `fixed:65536`,
 * `fastcdc:32768:65536:262144`, `fastcdc:16384:65536:262144:2:99`, `buzhash:131072:524288:17`, `given`, or the name of
 * a profile. Sizes are decimal bytes; normalisation is 1 and the seed 0 where left out.
 * @returns a spec that `checkChunking` accepts
 * @throws `invalid/CHUNKING_INVALID` with the legal forms, or with the range of the field that is out of it
 */
export function parseChunking(text: string): ChunkingSpec {
  if (typeof text !== 'string') throw argumentTypeError('text', 'a string', text);
  const profile = profileNamed(text);
  if (profile !== undefined) return profile;
  const [kind = '', ...fields] = text.split(':');
  const spec = fields.every((field) => INTEGER.test(field)) ? specFrom(kind, fields) : undefined;
  if (spec === undefined) throw chunkingInvalid('chunking', `chunking must be ${LEGAL}`);
  checkChunking(spec);
  return spec;
}

/**
 * Writes a spec as its canonical text: equal specs give equal text, and `parseChunking` gives the spec back. Never the
 * name of a profile. The text holds the seed, which in a sealed store is a secret.
 * @throws `invalid/CHUNKING_INVALID` as `checkChunking`
 */
export function formatChunking(spec: ChunkingSpec): string {
  checkChunking(spec);
  switch (spec.kind) {
    case 'fixed':
      return `fixed:${spec.bytes}`;
    case 'fastcdc': {
      const sizes = `fastcdc:${spec.min}:${spec.avg}:${spec.max}:${spec.normalisation}`;
      return spec.seed === 0n ? sizes : `${sizes}:${spec.seed}`;
    }
    case 'buzhash':
      return `buzhash:${spec.min}:${spec.max}:${spec.maskBits}`;
    case 'given':
      return 'given';
  }
}
