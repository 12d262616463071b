import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../test/support/caught.ts';
import { SAMPLE_CONFIG } from '../../test/support/format-samples.ts';
import { bitFlips, truncations } from '../../test/support/mutations.ts';
import { forgedConfig } from '../../test/support/sealed.ts';
import { toBase64 } from '../bytes/base64.ts';
import { utf8Decode } from '../bytes/bytes.ts';
import { configMacBytes, decodeStoreConfig, encodeStoreConfig, type SealedStoreConfig } from './config.ts';
import { areAffordable, isKeyLabel, type Slot } from './config-keys.ts';

const bytes = (length: number, fill: number): string => toBase64(new Uint8Array(length).fill(fill));

const described = (id: string, label: string) => ({
  id,
  label,
  created: '2026-01-01T00:00:00.000Z',
  publicKey: bytes(1568, 1),
  ciphertext: bytes(1568, 2),
  masterKey: bytes(48, 3),
});
const argon2 = { memoryKib: 65_536, passes: 3, parallelism: 4, salt: bytes(32, 4) };
const PASSPHRASE: Slot = { ...described('00000001', 'a'), type: 'passphrase', argon2, seed: bytes(80, 5) };
const KEY_FILE: Slot = { ...described('00000002', 'ü 🔑'), type: 'key-file', salt: bytes(32, 6), seed: bytes(80, 7) };
const RECIPIENT: Slot = { ...described('00000003', 'c'), type: 'recipient' };

const { format: _format, keys: _keys, ...base } = SAMPLE_CONFIG;
const CONFIG: SealedStoreConfig = {
  ...base,
  format: 2,
  keys: { suite: 'aes-256-gcm', slots: [PASSPHRASE, KEY_FILE, RECIPIENT], ring: bytes(1064, 8) },
  mac: 'ab'.repeat(32),
};
const ENCODED = encodeStoreConfig(CONFIG);
const TEXT = utf8Decode(ENCODED);

/** The sample as somebody wrote it who did not look at it. */
function forged(change: (members: Record<string, unknown>) => unknown): string {
  const members = structuredClone(CONFIG) as unknown as Record<string, unknown>;
  const changed = forgedConfig(ENCODED, () => JSON.stringify(change(ordered(members)), undefined, 2).slice(0, -2));
  return outcomeOf(() => decodeStoreConfig(changed));
}

/** In the order of the fixed spelling, so that nothing but the change is refused. */
function ordered(members: Record<string, unknown>): Record<string, unknown> {
  const { check: _check, ...rest } = JSON.parse(TEXT);
  return { ...rest, ...members };
}

function withSlots(slots: readonly unknown[]): string {
  return forged((members) => ({ ...members, keys: { ...CONFIG.keys, slots: slots.map(slotInOrder) } }));
}

function slotInOrder(slot: unknown): unknown {
  const order = ['id', 'type', 'label', 'created', 'publicKey', 'argon2', 'salt', 'seed', 'ciphertext', 'masterKey'];
  const entries = Object.entries(slot as object);
  return Object.fromEntries(entries.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
}

describe('the config of a sealed store', () => {
  it('reads back', () => {
    expect(decodeStoreConfig(ENCODED)).toEqual(CONFIG);
    expect(withSlots([PASSPHRASE, KEY_FILE, RECIPIENT])).toBe('no error');
  });

  it('is spelled in one way, whatever the order its members were given in', () => {
    const reversed = Object.fromEntries(Object.entries(CONFIG).reverse()) as unknown as SealedStoreConfig;
    expect(encodeStoreConfig(reversed)).toEqual(ENCODED);
    const slot = Object.fromEntries(Object.entries(PASSPHRASE).reverse());
    const respelled = forgedConfig(ENCODED, (front) => {
      const document = JSON.parse(`${front}\n}`);
      document.keys.slots[0] = slot;
      return JSON.stringify(document, undefined, 2).slice(0, -2);
    });
    expect(outcomeOf(() => decodeStoreConfig(respelled))).toBe('corrupt/CONFIG_CORRUPT');
  });

  it('has a MAC over everything in front of it', () => {
    const covered = utf8Decode(configMacBytes(CONFIG));
    expect(TEXT.startsWith(`${covered},\n  "mac": "${CONFIG.mac}",\n  "check": "`)).toBe(true);
    const { mac: _mac, ...unsigned } = CONFIG;
    expect(configMacBytes(unsigned)).toEqual(configMacBytes(CONFIG));
  });

  it('notices flipped bits and lost bytes', () => {
    const outcomes = new Set<string>();
    for (const { bit, bytes: flipped } of bitFlips(ENCODED)) {
      if (bit % 5 === 0) outcomes.add(outcomeOf(() => decodeStoreConfig(flipped)));
    }
    for (const cut of truncations(ENCODED)) outcomes.add(outcomeOf(() => decodeStoreConfig(cut)));
    expect([...outcomes]).toEqual(['corrupt/CONFIG_CORRUPT']);
  });

  it.each<[string, (members: Record<string, unknown>) => unknown, string]>([
    ['a later format', (members) => ({ ...members, format: 3 }), 'unsupported/FORMAT_UNSUPPORTED'],
    [
      'another suite',
      (members) => ({ ...members, keys: { ...CONFIG.keys, suite: 'xchacha20' } }),
      'unsupported/SETTING_UNSUPPORTED',
    ],
    ['format 1', (members) => ({ ...members, format: 1 }), 'corrupt/CONFIG_CORRUPT'],
    ['no keys', (members) => ({ ...members, keys: 'none' }), 'corrupt/CONFIG_CORRUPT'],
    ['no MAC', (members) => ({ ...members, mac: undefined }), 'corrupt/CONFIG_CORRUPT'],
    ['a short MAC', (members) => ({ ...members, mac: 'ab' }), 'corrupt/CONFIG_CORRUPT'],
    ['a member too many', (members) => ({ ...members, x: 1 }), 'corrupt/CONFIG_CORRUPT'],
    ['no ring', (members) => ({ ...members, keys: { ...CONFIG.keys, ring: '' } }), 'corrupt/CONFIG_CORRUPT'],
    ['a ring in hex', (members) => ({ ...members, keys: { ...CONFIG.keys, ring: 'abc' } }), 'corrupt/CONFIG_CORRUPT'],
    [
      'members of a feature that may be read',
      (members) => ({ ...members, features: { ...CONFIG.features, readOnlyCompatible: ['x'] }, x: 1 }),
      'corrupt/CONFIG_CORRUPT',
    ],
  ])('is refused with %s', (_, change, expected) => {
    expect(forged(change)).toBe(expected);
  });

  it('may have a feature that lets it be read, and is spelled back for its MAC', () => {
    const features = { ...CONFIG.features, readOnlyCompatible: ['x'] };
    const read = forgedConfig(ENCODED, (front) =>
      front.replace('"readOnlyCompatible": []', '"readOnlyCompatible": [\n      "x"\n    ]'),
    );
    const config = decodeStoreConfig(read) as SealedStoreConfig;
    expect(config).toEqual({ ...CONFIG, features });
    expect(utf8Decode(read).startsWith(utf8Decode(configMacBytes(config)))).toBe(true);
  });
});

describe('a slot in the config', () => {
  const hostile = (change: object) => [{ ...PASSPHRASE, argon2: { ...argon2, ...change } }];
  const costly = Array.from({ length: 32 }, (_, at) => ({
    ...PASSPHRASE,
    id: `${at}`.padStart(8, '0'),
    argon2: { ...argon2, memoryKib: 2 ** 20, passes: 1 },
  }));

  it.each<[string, readonly unknown[], string]>([
    ['of a type that is not known', [{ ...RECIPIENT, type: 'tpm' }], 'unsupported/SETTING_UNSUPPORTED'],
    ['without a type', [{ ...RECIPIENT, type: undefined }], 'corrupt/CONFIG_CORRUPT'],
    ['there is none', [], 'corrupt/CONFIG_CORRUPT'],
    [
      '33 of them',
      Array.from({ length: 33 }, (_, at) => ({ ...RECIPIENT, id: `${at}`.padStart(8, '0') })),
      'corrupt/CONFIG_CORRUPT',
    ],
    ['two of one id', [RECIPIENT, RECIPIENT], 'corrupt/CONFIG_CORRUPT'],
    ['an id in capitals', [{ ...RECIPIENT, id: 'ABCDEF01' }], 'corrupt/CONFIG_CORRUPT'],
    ['an empty label', [{ ...RECIPIENT, label: '' }], 'corrupt/CONFIG_CORRUPT'],
    ['a label of 65 characters', [{ ...RECIPIENT, label: 'x'.repeat(65) }], 'corrupt/CONFIG_CORRUPT'],
    ['a label with a line end', [{ ...RECIPIENT, label: 'a\n' }], 'corrupt/CONFIG_CORRUPT'],
    ['a short public key', [{ ...RECIPIENT, publicKey: bytes(1567, 1) }], 'corrupt/CONFIG_CORRUPT'],
    ['a long ciphertext', [{ ...RECIPIENT, ciphertext: bytes(1569, 1) }], 'corrupt/CONFIG_CORRUPT'],
    ['the seed of a recipient', [{ ...RECIPIENT, seed: bytes(80, 5) }], 'corrupt/CONFIG_CORRUPT'],
    ['a key file without its seed', [{ ...KEY_FILE, seed: undefined }], 'corrupt/CONFIG_CORRUPT'],
    ['too little memory', hostile({ memoryKib: 8191 }), 'corrupt/CONFIG_CORRUPT'],
    ['too much memory', hostile({ memoryKib: 2 ** 20 + 1 }), 'corrupt/CONFIG_CORRUPT'],
    ['no pass', hostile({ passes: 0 }), 'corrupt/CONFIG_CORRUPT'],
    ['too many passes', hostile({ passes: 17 }), 'corrupt/CONFIG_CORRUPT'],
    ['too many lanes', hostile({ parallelism: 17 }), 'corrupt/CONFIG_CORRUPT'],
    ['a short salt', hostile({ salt: bytes(15, 1) }), 'corrupt/CONFIG_CORRUPT'],
    ['a long salt', hostile({ salt: bytes(65, 1) }), 'corrupt/CONFIG_CORRUPT'],
    ['parameters that each may be, and cost too much together', costly, 'corrupt/CONFIG_CORRUPT'],
    ['parameters that cost as much as is allowed', costly.slice(0, 16), 'no error'],
  ])('is refused: %s', (_, slots, expected) => {
    expect(withSlots(slots)).toBe(expected);
  });
});

describe('what slots cost to be tried', () => {
  it('is memory times passes of all passphrases', () => {
    const slots = (count: number, passes: number) =>
      Array<Parameters<typeof areAffordable>[0][number]>(count).fill({
        ...{ type: 'passphrase', argon2: { memoryKib: 2 ** 20, passes, parallelism: 4 } },
      });
    expect(areAffordable([...slots(8, 2), { type: 'key-file' }, { type: 'recipient' }])).toBe(true);
    expect(areAffordable(slots(6, 3))).toBe(false);
    expect(areAffordable([...slots(16, 1), ...slots(1, 1)])).toBe(false);
  });
});

describe('the label of a slot', () => {
  it.each<[string, boolean]>([
    ['my laptop', true],
    ['🔑'.repeat(64), true],
    ['x'.repeat(65), false],
    ['', false],
    ['a\nb', false],
    ['\ud83d', false],
  ])('%j', (text, isLabel) => {
    expect(isKeyLabel(text)).toBe(isLabel);
  });
});
