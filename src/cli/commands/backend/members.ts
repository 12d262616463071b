import type { Command } from 'commander';
import type { BackendChange } from '../../../index.ts';
import { parseCount } from '../../options.ts';
import type { Session } from '../../session.ts';
import { usageError } from '../../usage-error.ts';
import { describeBackend, describeBackends } from './describe-backends.ts';
import { warnOfPlacement } from './new-backends.ts';

interface AddFlags {
  readonly name?: string;
  readonly domain?: string;
  readonly weight?: number;
}

interface SetFlags extends AddFlags {
  readonly readOnly?: boolean;
  readonly active?: boolean;
  readonly location?: string;
}

async function list(session: Session): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const backends = await store.backends.list({ signal: session.signal });
  if (!session.options.json) return session.terminal.print(describeBackends(backends));
  for (const backend of backends) await session.result(backend, () => '');
}

async function add(session: Session, folder: string, flags: AddFlags): Promise<void> {
  await using store = await session.openStore();
  const added = await store.backends.add({ location: folder, ...flags }, { signal: session.signal });
  await session.confirm(
    added,
    () =>
      `added ${describeBackend(added)}\nnew packs use it; \`holdfast backend rebalance\` brings what is there already`,
  );
  await warnOfPlacement(session, store);
}

function changeOf({ name, domain, weight, readOnly, active, location }: SetFlags): BackendChange {
  if (readOnly && active) throw usageError('--read-only and --active exclude each other');
  const change: BackendChange = {
    ...(name !== undefined && { name }),
    ...(domain !== undefined && { domain }),
    ...(weight !== undefined && { weight }),
    ...(readOnly && { mode: 'read-only' }),
    ...(active && { mode: 'active' }),
    ...(location !== undefined && { location }),
  };
  if (Object.keys(change).length === 0) throw usageError('nothing to set: give at least one option');
  return change;
}

async function set(session: Session, name: string, flags: SetFlags): Promise<void> {
  const change = changeOf(flags);
  await using store = await session.openStore();
  const changed = await store.backends.change(name, change, { signal: session.signal });
  await session.confirm(changed, () => describeBackend(changed));
  await warnOfPlacement(session, store);
}

async function map(session: Session, names: readonly string[], { rotate }: { readonly rotate?: boolean }) {
  if (rotate && names.length > 0) throw usageError('--rotate takes the place of names; give one of both');
  const { signal } = session;
  const changes = rotate || names.length > 0;
  await using store = await session.openStore({ readOnly: !changes });
  if (changes) await store.backends.setMap(names, { signal });
  const { map: numbered } = await store.backends.status({ signal });
  const text = (): string =>
    numbered.length > 0 ? numbered.map((name, at) => `${at}  ${name}`).join('\n') : 'shards rotate over the domains';
  await session.result({ map: numbered }, text);
  if (changes) await warnOfPlacement(session, store);
}

const ADD_EXAMPLES = `
Backends of one domain fail together: two folders of a disk, two disks of a machine. Without --domain one fails alone.

Examples:
  $ holdfast backend add /mnt/disk2
  $ holdfast backend add /mnt/cellar/store --name cellar --domain house --weight 2`;

/** Defines `holdfast backend list`, `add`, `set` and `map`. */
export function addMembers(group: Command, session: Session): void {
  group
    .command('list')
    .description('Lists the backends: name, state, failure domain, weight and place.')
    .action(() => list(session));
  group
    .command('add')
    .description(
      'Adds an empty folder, made when absent, a bucket: s3://bucket/prefix?endpoint=…&region=…, or the URL of a module ' +
        'that HOLDFAST_BACKENDS names. Nothing that lies in one is ever overwritten.',
    )
    .argument('<folder>', 'where it is')
    .option('--name <name>', 'what to call it; default: after the folder')
    .option('--domain <name>', 'what fails together with it; default: its name')
    .option('--weight <number>', 'its share of the shards, 0 to 1,000; default: 1', parseCount)
    .addHelpText('after', ADD_EXAMPLES)
    .action((folder: string, flags: AddFlags) => add(session, folder, flags));
  group
    .command('set')
    .description('Changes what a backend is called, where it counts, what it takes, or where it is.')
    .argument('<name>', 'the backend')
    .option('--name <name>', 'another name')
    .option('--domain <name>', 'another failure domain')
    .option('--weight <number>', 'another share of the shards; 0: none', parseCount)
    .option('--read-only', 'read it, and nothing else')
    .option('--active', 'write to it again')
    .option('--location <folder>', 'where it has moved to; the same backend must be there')
    .addHelpText('after', '\nExample:\n  $ holdfast backend set disk2 --location /media/usb/disk2')
    .action((name: string, flags: SetFlags) => set(session, name, flags));
  group
    .command('map')
    .description('Shows or sets where shards go: shard 0 to the first backend named, 1 to the next, going round.')
    .argument('[names...]', 'the backends in order')
    .option('--rotate', 'no order: shards rotate over the domains, by weight')
    .addHelpText('after', '\nWhat is stored stays where it is until `holdfast backend rebalance`.')
    .action((names: string[], flags: { readonly rotate?: boolean }) => map(session, names, flags));
}
