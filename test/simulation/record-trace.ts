/** The order in which an operation changes and flushes files and commits its metadata, as text that people review. */
import { beginCase } from './case-run.ts';
import { DISKS, type StoreKind } from './kinds.ts';
import type { SimulatedCase } from './simulated-cases.ts';
import { HOME, type SimulatedMachine } from './simulated-machine.ts';

const IDS = /[0-9a-f]{32}/g;
const COMMITS = /0{6}[0-9a-f]{10}/g;
/** A folder of packs is named after the last byte of their ids. */
const PACK_FOLDER = /packs\/[0-9a-f]{2}/g;
const TEMPORARY = /\.tmp\/[^ /]+/g;

/** Runs a case on a machine, and undoes it. */
export async function recordTrace(
  machine: SimulatedMachine,
  { kind, one }: { readonly kind: StoreKind; readonly one: SimulatedCase },
): Promise<string> {
  return await machine.databases.tried(async () => {
    const copy = { ...machine, disk: machine.disk.fork() };
    const run = await beginCase(copy, { kind, one: calm(one) }, { seed: 2 });
    const calls: string[] = [];
    run.process.onChange = async (call, path) => void calls.push(`${call} ${path}`.trimEnd());
    await run.steps();
    run.process.onChange = undefined;
    await run.close();
    return kind.spread ? byDisk(calls) : toText(calls, HOME);
  });
}

/** The first commit of a process sets off a merge: another one than those of the case, and it has ended. */
function calm(one: SimulatedCase): SimulatedCase {
  if (one.begins === 'absent') return one;
  return {
    ...one,
    prepare: async (context) => {
      await context.store.put('before', 'x');
      await one.prepare?.(context);
      await context.store.maintenance.gc({ dryRun: true });
    },
  };
}

/** Nothing orders the calls on different disks but the commits between them. */
function byDisk(calls: readonly string[]): string {
  const parts = [HOME, ...DISKS, '/disk4'].map((disk) => {
    const own = calls.filter((call) => call === 'commit' || call.includes(` ${disk}/`) || call.endsWith(` ${disk}`));
    return own.every((call) => call === 'commit') ? '' : `${disk}\n${toText(own, disk)}`;
  });
  return parts.filter((part) => part !== '').join('\n');
}

function toText(calls: readonly string[], root: string): string {
  const names = new Map<string, string>();
  const nameOf = (id: string): string => {
    const name = names.get(id) ?? `<id ${names.size + 1}>`;
    names.set(id, name);
    return name;
  };
  const lines = calls.map((call) =>
    call
      .replaceAll(`${root}/`, '')
      .replaceAll(TEMPORARY, '<temporary>')
      .replaceAll(IDS, nameOf)
      .replaceAll(COMMITS, (commit) => `${Number.parseInt(commit, 16)}`)
      .replaceAll(PACK_FOLDER, 'packs/<folder>'),
  );
  return `${lines.join('\n')}\n`;
}
