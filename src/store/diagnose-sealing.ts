/** What a diagnosis says of the keys of a store: how it is sealed, and what this client remembers of it. */
import type { SlotType, StoreConfig } from '../format/index.ts';
import type { GuardState } from '../keys/index.ts';
import type { Finding } from './upkeep-types.ts';

/** Said where a sealed store is looked at without its keys. */
export const LOCKED_FINDING: Finding = {
  subject: 'metadata',
  status: 'warning',
  message: 'not looked at: the store is sealed, and no key was given',
  advice: 'give what opens the store to have everything looked at',
};

const SLOT_NAMES: Readonly<Record<SlotType, readonly [one: string, many: string]>> = {
  passphrase: ['passphrase', 'passphrases'],
  'key-file': ['key file', 'key files'],
  recipient: ['recipient', 'recipients'],
};

/** How a store is sealed, and by how many keys of which kind; one key alone is a warning. */
export function describeSealing(config: StoreConfig): Finding {
  const subject = 'sealing';
  if (config.keys === 'none') {
    return { subject, status: 'ok', message: 'plain: whoever can read the store reads the data' };
  }
  const { slots, suite } = config.keys;
  const kinds = Object.entries(SLOT_NAMES).flatMap(([type, [one, many]]) => {
    const count = slots.filter((slot) => slot.type === type).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  const message = `${suite}, opened by ${kinds.join(' and ')}; keys of generation ${config.generation}`;
  if (slots.length > 1) return { subject, status: 'ok', message };
  return {
    subject,
    status: 'warning',
    message: `${message}. Whoever loses the only key loses the store`,
    advice: 'give it a second way in, to be kept somewhere else: `holdfast key add --help`',
  };
}

/** What this client remembers of a store, and where. */
export function guardFinding(folder: string, remembered: GuardState | undefined): Finding {
  const subject = 'rollback';
  if (remembered === undefined) {
    return { subject, status: 'ok', message: `nothing is remembered of this store yet in ${folder}` };
  }
  const { generation, commit } = remembered;
  const message = `last seen at commit ${commit}, keys of generation ${generation}; remembered in ${folder}`;
  return { subject, status: 'ok', message };
}
