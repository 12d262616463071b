#!/usr/bin/env node
/**
 * Entry of the `holdfast` command. Everything but the version check is imported after it, because an older Node cannot
 * even load the engine: it would end in a stack trace instead of one clear line.
 */
import { EXIT_STATUS } from '../errors/codes.ts';
import { nodeRefusal } from './node-version.ts';

const args = process.argv.slice(2);
const refusal = nodeRefusal(process.versions.node);
if (refusal === undefined) {
  const [{ runCli }, { endBySignal }] = await Promise.all([import('./run.ts'), import('./interrupt.ts')]);
  process.exitCode = await runCli(args);
  endBySignal(process.exitCode);
} else {
  const { kind, code, message, details } = refusal;
  const line = args.includes('--json')
    ? JSON.stringify({ error: { kind, code, message, details } })
    : `holdfast: ${message}`;
  process.stderr.write(`${line}\n`);
  process.exitCode = EXIT_STATUS[kind];
}
