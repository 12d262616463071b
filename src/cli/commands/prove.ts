import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { EXIT_STATUS } from '../../errors/codes.ts';
import type { ByteRange, Entries, RangeOptions, RangeProof } from '../../index.ts';
import { fileError } from '../file-error.ts';
import { writeFileAtomically } from '../files/atomic-file.ts';
import { loadLibrary } from '../library.ts';
import { parseRange, type Range } from '../options.ts';
import { ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { formatFields } from '../text/fields.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, formatCount } from '../text/format-text.ts';
import { usageError } from '../usage-error.ts';

interface ProveFlags {
  readonly output?: string;
  readonly range?: Range;
}

interface VerifyFlags {
  readonly root: string;
  readonly range?: Range;
  readonly data?: string;
}

async function prove(session: Session, key: string, flags: ProveFlags): Promise<void> {
  const { output, range } = flags;
  await using store = await session.openStore({ readOnly: true });
  const entries = session.entriesOf(store);
  const { proof, root } = await proveCurrent(entries, key, { ...range, signal: session.signal });
  const document = JSON.stringify(proof);
  // A proof is JSON whether or not --json is given.
  if (output === undefined || output === '-') return session.terminal.print(document);
  await writeFileAtomically(output, [Buffer.from(`${document}\n`)]);
  const chunks = countOf(proof.chunks.length, 'chunk', 'chunks');
  await session.confirm(
    { key, root, path: output },
    () => `${session.shown(key)} -> ${session.shown(output)}  ${chunks}; its root is ${root}`,
  );
}

/** A proof and the root it is good for: an entry that is replaced in between is proven again. */
async function proveCurrent(
  entries: Entries,
  key: string,
  range: RangeOptions,
): Promise<{ readonly proof: RangeProof; readonly root: string }> {
  const { verifyRangeProof } = await loadLibrary();
  for (;;) {
    const { root } = await entries.stat(key, range);
    const proof = await entries.prove(key, range);
    if (verifyRangeProof(proof, root)) return { proof, root };
  }
}

async function readProof(session: Session, file: string): Promise<string> {
  if (file === '-') {
    session.claimStdin('the proof');
    return Buffer.concat(await Array.fromAsync(process.stdin)).toString('utf8');
  }
  return await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileError(error, file, 'read');
  });
}

/** Where the proven chunks lie in a file: it is the whole entry, or nothing but those chunks. */
async function placeIn(file: string, proof: RangeProof, covered: ByteRange): Promise<number> {
  const { size } = await stat(file).catch((error: unknown) => {
    throw fileError(error, file, 'read');
  });
  if (size === proof.size) return covered.offset;
  if (size === covered.length) return 0;
  const expected = `the ${formatCount(proof.size)} bytes of the entry, or the ${formatCount(covered.length)} of the proven chunks`;
  throw usageError(`${file} has ${formatCount(size)} bytes; it must have ${expected}`);
}

async function holdsData(
  session: Session,
  file: string,
  request: { readonly proof: RangeProof; readonly root: string },
) {
  const { coveredRange, createRangeDataCheck } = await loadLibrary();
  const { proof, root } = request;
  const covered = coveredRange(proof);
  const start = await placeIn(file, proof, covered);
  const check = createRangeDataCheck(proof, root);
  using meter = new ProgressMeter(session, 'verify');
  meter.expect(covered.length);
  if (covered.length === 0) return check.finish();
  const pieces = createReadStream(file, { start, end: start + covered.length - 1, signal: session.signal });
  try {
    for await (const bytes of pieces) {
      check.update(bytes);
      meter.addBytes(bytes.length);
    }
  } catch (error) {
    throw fileError(error, file, 'read');
  }
  return check.finish();
}

async function verify(session: Session, file: string, flags: VerifyFlags): Promise<void> {
  const { coveredRange, parseRangeProof, verifyRangeProof } = await loadLibrary();
  const { root, range, data } = flags;
  const proof = parseRangeProof(await readProof(session, file));
  const covered = coveredRange(proof);
  const asked = range && { offset: range.offset, length: range.length ?? Math.max(0, proof.size - range.offset) };
  const proven = verifyRangeProof(proof, root, asked);
  const same = proven && data !== undefined ? await holdsData(session, data, { proof, root }) : undefined;
  const valid = proven && same !== false;
  const what = asked ? 'NOT VALID for this root and range' : 'NOT VALID for this root';
  await session.result(
    {
      valid,
      size: proof.size,
      chunks: proof.chunks.length,
      ...covered,
      ...(same !== undefined && { dataValid: same }),
    },
    () =>
      formatFields([
        ['proof', proven ? 'valid' : what],
        ['data', same === undefined ? undefined : same ? 'as proven' : 'OTHER than proven'],
        ['entry', `${formatBytes(proof.size)} in ${countOf(proof.chunkCount, 'chunk', 'chunks')}`],
        [
          'proven',
          `${formatCount(covered.length)} bytes from ${formatCount(covered.offset)}: ${countOf(proof.chunks.length, 'chunk', 'chunks')}`,
        ],
      ]),
  );
  if (!valid) session.endWith(EXIT_STATUS.corrupt);
}

const PROVE_HELP = `
The proof is small JSON. Whoever has the root of the entry from a source they trust (\`holdfast stat\` prints it, and
\`holdfast key sign\` signs it) verifies it without the store and without any key. It tells the lengths and plain digests
of the chunks that the range touches.

Examples:
  $ holdfast prove report.pdf --range 0:4096 -o report.proof
  $ holdfast verify-proof report.proof --root blake3:12ab... --range 0:4096`;

const VERIFY_HELP = `
With --data the bytes are compared too: FILE is the whole entry, or nothing but the proven chunks.
Exit status 6 when the proof or the data is not valid.

Examples:
  $ holdfast verify-proof report.proof --root blake3:12ab... --data report.pdf
  $ holdfast prove report.pdf | holdfast verify-proof - --root blake3:12ab... --json`;

/** Defines `holdfast prove`, and `verify-proof`, which needs no store. */
export function addProve(program: Command, session: Session): void {
  const range = '--range <offset:length>';
  program
    .command('prove')
    .summary('prove where bytes of an entry stand')
    .description('Makes a proof that a range of an entry stands at its place in it, checkable without the store.')
    .argument('<key>', 'the entry')
    .option(range, 'only these bytes; LENGTH may be left away; default: all of them', parseRange)
    .option('-o, --output <file>', 'file for the proof, which is no secret; default: standard output')
    .addHelpText('after', PROVE_HELP)
    .action((key: string, flags: ProveFlags) => prove(session, key, flags));
  program
    .command('verify-proof')
    .summary('verify a proof, offline')
    .description('Verifies what `holdfast prove` made, against a root that you trust. Needs no store and no key.')
    .argument('<file>', 'the proof; - for standard input')
    .requiredOption('--root <root>', 'Merkle root of the entry, as `holdfast stat` prints it')
    .option(range, 'the bytes that must be proven; default: whatever the proof covers', parseRange)
    .option('--data <file>', 'compare these bytes with what is proven')
    .addHelpText('after', VERIFY_HELP)
    .action((file: string, flags: VerifyFlags) => verify(session, file, flags));
}
