import { type Command, Option } from 'commander';
import type { KeySlot } from '../../../index.ts';
import { confirmForGood } from '../../secrets/confirm.ts';
import { type NewPassphraseFlags, newPassphrase } from '../../secrets/new-secret.ts';
import type { Session } from '../../session.ts';
import { escapeControls, formatTime } from '../../text/format-text.ts';
import { formatTable } from '../../text/table.ts';
import { findPassphrase, findSlot } from './find-slot.ts';
import { newSlotOf, SLOT_KINDS, type SlotKind } from './new-slot.ts';

interface DryRun {
  readonly dryRun?: boolean;
}

interface AddFlags extends NewPassphraseFlags, DryRun {
  readonly label?: string;
}

interface RemoveFlags extends DryRun {
  readonly yes?: boolean;
}

function describeSlots(slots: readonly KeySlot[]): string {
  const rows = slots.map(({ id, type, created, fingerprint, label }) => [
    id,
    type,
    formatTime(created),
    fingerprint,
    escapeControls(label),
  ]);
  return formatTable(['ID', 'TYPE', 'CREATED (UTC)', 'FINGERPRINT', 'LABEL'], rows);
}

function nameOf({ id, type, label }: KeySlot): string {
  return `${type} ${id} (${escapeControls(label)})`;
}

async function list(session: Session): Promise<void> {
  await using store = await session.openStore({ readOnly: true });
  const slots = await store.keys.list({ signal: session.signal });
  if (!session.options.json) return session.terminal.print(describeSlots(slots));
  for (const slot of slots) await session.result(slot, () => '');
}

async function add(session: Session, typed: { kind: SlotKind; value: string | undefined }, flags: AddFlags) {
  const { signal } = session;
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  // Listed first: a store that has no slots need not ask for a new passphrase.
  await store.keys.list({ signal });
  const slot = await newSlotOf(session, typed, flags);
  if (flags.dryRun) return session.confirm({ type: typed.kind, dryRun: true }, () => `would add a ${typed.kind}`);
  const added = await store.keys.add({ ...slot, ...(flags.label !== undefined && { label: flags.label }) }, { signal });
  // Only the fingerprint tells that the line is that of whom it should be.
  const check = typed.kind === 'recipient' ? `\nfingerprint ${added.fingerprint}` : '';
  await session.confirm(added, () => `added ${nameOf(added)}${check}`);
}

async function label(session: Session, typed: string, text: string): Promise<void> {
  await using store = await session.openStore();
  const slot = await findSlot(store, typed, session);
  const labelled = await store.keys.label(slot.id, text, { signal: session.signal });
  await session.confirm(labelled, () => `labelled ${nameOf(labelled)}`);
}

async function remove(session: Session, typed: string, flags: RemoveFlags): Promise<void> {
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  const slot = await findSlot(store, typed, session);
  if (flags.dryRun) return session.confirm({ ...slot, dryRun: true }, () => `would remove ${nameOf(slot)}`);
  await confirmForGood(session, `This shuts out whoever opens the store with ${nameOf(slot)}.`, flags);
  const epoch = await store.keys.remove(slot.id, { signal: session.signal });
  await session.confirm(
    { removed: slot, epoch },
    () =>
      `removed ${nameOf(slot)}; what is written from now on belongs to epoch ${epoch.epoch}\n` +
      'what is older stays readable to whoever kept the old keys: `holdfast key rekey` seals it anew',
  );
}

async function passphrase(session: Session, typed: string | undefined, flags: NewPassphraseFlags & DryRun) {
  await using store = await session.openStore({ readOnly: flags.dryRun === true });
  const slot = typed === undefined ? await findPassphrase(store, session) : await findSlot(store, typed, session);
  if (flags.dryRun) return session.confirm({ ...slot, dryRun: true }, () => `would change ${nameOf(slot)}`);
  const secret = { passphrase: await newPassphrase(session, flags) };
  const changed = await store.keys.changePassphrase(slot.id, secret, { signal: session.signal });
  await session.confirm(changed, () => `changed ${nameOf(changed)}`);
}

const ADD_EXAMPLES = `
A passphrase is asked for twice, or comes from --new-passphrase-file or HOLDFAST_NEW_PASSPHRASE; a key file is one made
by \`holdfast key generate key-file\`; a recipient is the line that \`holdfast key show\` prints, or a file with it.

Examples:
  $ holdfast key add passphrase
  $ holdfast key add key-file spare.key --label spare
  $ holdfast key add recipient ann.recipient --label ann`;

/** Defines `holdfast key list`, `add`, `label`, `remove` and `passphrase`. */
export function addSlots(group: Command, session: Session): void {
  const dryRun = ['--dry-run', 'only say what would be done'] as const;
  const newPassphraseFile = new Option('--new-passphrase-file <file>', 'the new passphrase: first line of a file');
  group
    .command('list')
    .description('Lists what opens the store: id, type, creation, fingerprint and label of each slot.')
    .action(() => list(session));
  group
    .command('add')
    .description('Lets somebody else in: makes another slot. Nothing that is stored is rewritten.')
    .addArgument(group.createArgument('<kind>', 'what opens it').choices(SLOT_KINDS))
    .argument('[file]', 'the key file; of a recipient the line, or a file with it')
    .option('--label <text>', 'what to call it, 1 to 64 characters; anybody can read it')
    .addOption(newPassphraseFile)
    .option(...dryRun)
    .addHelpText('after', ADD_EXAMPLES)
    .action((kind: SlotKind, value: string | undefined, flags: AddFlags) => add(session, { kind, value }, flags));
  group
    .command('label')
    .description('Gives a slot another label. Labels can be read without a key.')
    .argument('<slot>', 'its id, or the beginning of it')
    .argument('<text>', '1 to 64 characters')
    .action((typed: string, text: string) => label(session, typed, text));
  group
    .command('remove')
    .description('Shuts somebody out: removes a slot, renews the master key and begins a new epoch.')
    .argument('<slot>', 'its id, or the beginning of it')
    .option('--yes', 'do not ask')
    .option(...dryRun)
    .addHelpText('after', '\nThe last slot cannot be removed (exit 4): nobody could open the store any more.')
    .action((typed: string, flags: RemoveFlags) => remove(session, typed, flags));
  group
    .command('passphrase')
    .description('Changes a passphrase. To shut out somebody who knows it, add another one and remove this slot.')
    .argument('[slot]', 'its id, or the beginning of it; not needed when there is one passphrase only')
    .addOption(newPassphraseFile)
    .option(...dryRun)
    .action((typed: string | undefined, flags: NewPassphraseFlags) => passphrase(session, typed, flags));
}
