import { access, constants } from 'node:fs/promises';
import { fileError } from '../file-error.ts';
import type { Session } from '../session.ts';
import { formatBytes } from '../text/format-bytes.ts';
import { countOf, escapeControls } from '../text/format-text.ts';
import { type Input, inputsOf, type PutInput, type PutPlan } from './plan.ts';

async function readable(input: PutInput): Promise<Input> {
  if ((await input.countBytes()) === undefined) return input;
  if (input.path.startsWith('--')) return input;
  try {
    await access(input.path, constants.R_OK);
    return input;
  } catch (error) {
    return { kind: 'failed', path: input.path, error: fileError(error, input.path, 'read') };
  }
}

/** Says what a `put` would do; reads no content and needs no store. */
export async function dryRun(session: Session, plan: PutPlan, avoid: string | undefined): Promise<void> {
  const counts = { put: 0, skipped: 0, failed: 0, bytes: 0 };
  const { json, quiet } = session.options;
  for await (const found of inputsOf(plan, { signal: session.signal, avoid })) {
    const input = found.kind === 'put' ? await readable(found) : found;
    counts[input.kind] += 1;
    if (input.kind === 'failed') session.report(input.error);
    else if (input.kind === 'skipped') {
      if (!quiet && !json) session.terminal.note(`holdfast: skipped ${escapeControls(input.path)}: ${input.reason}`);
    } else {
      const size = await input.countBytes();
      counts.bytes += size ?? 0;
      const name = input.key === null ? '(named by its content)' : session.shown(input.key);
      const text = (): string => `${name}  ${size === undefined ? 'size unknown' : formatBytes(size)}`;
      await session.confirm({ key: input.key, path: input.path, size }, text);
    }
  }
  if (json) session.terminal.note(JSON.stringify({ summary: { dryRun: true, ...counts } }));
  const entries = countOf(counts.put, 'entry', 'entries');
  const others = `${counts.skipped} skipped, ${counts.failed} failed`;
  await session.conclude(`would put ${entries}, ${formatBytes(counts.bytes)}; ${others}`);
}
