/** What opens a sealed store: slots, ring and MAC of its config, wrapped keys, envelopes, key pages. */
import { fromHex, toHex, utf8Encode } from '../../../src/bytes/bytes.ts';
import { EnvelopeOpener, EnvelopeSealer } from '../../../src/crypto/envelope.ts';
import { failWith } from '../../../src/format/damage.ts';
import {
  decodeKeyPage,
  decodeStoreConfig,
  encodeStoreConfig,
  type SealedStoreConfig,
} from '../../../src/format/index.ts';
import { unlock } from '../../../src/keys/index.ts';
import { bindTo, deriveKey, unwrap, wrap } from '../../../src/keys/key-wrap.ts';
import { materialOf } from '../../../src/keys/keyring.ts';
import { decodeRing, encodeRing, type Ring } from '../../../src/keys/ring.ts';
import { openRing } from '../../../src/keys/ring-seal.ts';
import { configMac } from '../../../src/keys/sealed-state.ts';
import { patternBytes } from '../../support/format-samples.ts';
import { countingRandom, ISOLATED, SAMPLE_KEY_PAGE, sampleSchedule } from '../../support/sealed-samples.ts';
import { mustBeBytes, mustEqual } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { CBOR_MUTATIONS } from '../mutations/cbor.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { withConfigCheck } from './configs.ts';
import { newerCbor, newerPrelude, withCheck } from './frames.ts';
import { goldenBytes, goldenHex, goldenText } from './golden.ts';

const fail = failWith('CONFIG_CORRUPT', 'store config');
const RING = goldenHex('keys/ring.hex');
const MASTER_KEY = patternBytes(32, 7);
const STORE_ID = '0f'.repeat(16);

const ring = fuzzTarget({
  name: 'key-ring',
  samples: () => [RING],
  mutations: CBOR_MUTATIONS,
  newer: newerCbor,
  read: (input) => decodeRing(input, fail),
  check: (value, input) => mustBeBytes(encodeRing(value), input, 'the ring'),
  errors: ['CONFIG_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

function padded(content: Uint8Array): Uint8Array {
  const plain = new Uint8Array(1024 * Math.ceil((4 + content.length) / 1024));
  new DataView(plain.buffer).setUint32(0, content.length, true);
  plain.set(content, 4);
  return plain;
}

/** What a ring holds, in an envelope that opens. */
function sealedPlain(plain: Uint8Array): Uint8Array {
  const sealer = new EnvelopeSealer(deriveKey(MASTER_KEY, 'ring'), countingRandom(3));
  return sealer.seal(plain, bindTo('ring', [STORE_ID]));
}

const sealedRing = fuzzTarget<Ring>({
  name: 'sealed-key-ring',
  samples: () => [padded(RING)],
  mutations: BYTE_MUTATIONS,
  newer: (sample, random) => padded(newerCbor(sample.slice(4, 4 + RING.length), random)),
  read: (input) => openRing(sealedPlain(input), { masterKey: MASTER_KEY, storeId: STORE_ID }, fail),
  check: (value, input) => {
    const encoded = encodeRing(value);
    mustBeBytes(input.subarray(4, 4 + encoded.length), encoded, 'the ring');
  },
  errors: ['CONFIG_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

const ENVELOPE_KEY = patternBytes(32, 9);
const ENVELOPE = new EnvelopeSealer(ENVELOPE_KEY, countingRandom(5)).seal(utf8Encode('sealed'), utf8Encode('aad'));

const envelope = fuzzTarget({
  name: 'envelope',
  samples: () => [ENVELOPE],
  mutations: BYTE_MUTATIONS,
  read: (input) => new EnvelopeOpener(ENVELOPE_KEY).open(input, utf8Encode('aad')),
  check: (plain, input) => {
    if (plain !== undefined) mustBeBytes(input, ENVELOPE, 'what opened');
  },
  errors: [],
});

const WRAPPED = wrap(patternBytes(32, 11), utf8Encode('aad'), patternBytes(32, 12));

const wrapped = fuzzTarget({
  name: 'wrapped-key',
  samples: () => [WRAPPED],
  mutations: BYTE_MUTATIONS,
  read: (input) => unwrap(patternBytes(32, 11), utf8Encode('aad'), input),
  check: (secret, input) => {
    if (secret !== undefined) mustBeBytes(input, WRAPPED, 'what was unwrapped');
  },
  errors: [],
});

const keyPage = fuzzTarget({
  name: 'key-page',
  samples: () => [SAMPLE_KEY_PAGE],
  mutations: BYTE_MUTATIONS,
  repair: (input) => withCheck(input),
  newer: (sample, random) => withCheck(newerPrelude(sample, random)),
  read: (input) => decodeKeyPage(input, ISOLATED, sampleSchedule()),
  check: (_, input) => mustBeBytes(input, SAMPLE_KEY_PAGE, 'the key page'),
  errors: ['KEY_PAGE_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

/** Two golden stores and what opens each. */
const STORES = [
  { config: 'keys/holdfast.json', key: goldenText('keys/master.key') },
  { config: 'sealed-store/holdfast.json', key: goldenText('sealed-store.key') },
].map(({ config, key }) => ({ bytes: goldenBytes(config), key: fromHex(key.trim()) ?? new Uint8Array(0) }));

interface Known {
  readonly masterKey: Uint8Array;
  readonly ring: Ring;
  readonly storeId: string;
  readonly key: Uint8Array;
}

async function openKnown(): Promise<readonly Known[]> {
  const known: Known[] = [];
  for (const { bytes, key } of STORES) {
    const config = decodeStoreConfig(bytes) as SealedStoreConfig;
    const { masterKey, ring: opened } = materialOf(await unlock(config, { key }));
    known.push({ masterKey, ring: opened, storeId: config.storeId, key });
  }
  return known;
}

let known: readonly Known[] = [];

/** Check and MAC made right: what a config is behind them only a holder of the keys can have written. */
function withMac(input: Uint8Array): Uint8Array {
  const checked = withConfigCheck(input);
  try {
    const config = decodeStoreConfig(checked);
    const owner = known.find(({ storeId }) => storeId === config.storeId) ?? known[0];
    if (config.format !== 2 || owner === undefined) return checked;
    return encodeStoreConfig({ ...config, mac: toHex(configMac(config, owner.masterKey)) });
  } catch {
    // No config that can be: as it is.
    return checked;
  }
}

const unlocking = fuzzTarget({
  name: 'config-unlocking',
  samples: async () => {
    known = await openKnown();
    return STORES.map(({ bytes }) => bytes);
  },
  mutations: JSON_MUTATIONS,
  repair: withMac,
  read: async (input) => {
    const config = decodeStoreConfig(input);
    const owner = known.find(({ storeId }) => storeId === config.storeId) ?? known[0];
    if (config.format !== 2 || owner === undefined) return undefined;
    return { owner, keyring: await unlock(config, { key: owner.key }) };
  },
  check: (opened) => {
    if (opened) mustEqual(materialOf(opened.keyring).ring, opened.owner.ring, 'the ring');
  },
  errors: ['CONFIG_CORRUPT', 'FORMAT_UNSUPPORTED', 'SETTING_UNSUPPORTED', 'WRONG_KEY'],
  cost: 'dear',
});

/** A ring that was sealed by nobody: whatever is changed in the envelope, only the one that was written opens. */
const framedRing = fuzzTarget({
  name: 'key-ring-envelope',
  samples: () => [sealedPlain(padded(RING))],
  mutations: BYTE_MUTATIONS,
  read: (input) => openRing(input, { masterKey: MASTER_KEY, storeId: STORE_ID }, fail),
  check: (_, input) => mustBeBytes(input, sealedPlain(padded(RING)), 'what opened as the ring'),
  errors: ['CONFIG_CORRUPT'],
});

export const SEALING_TARGETS: readonly FuzzTarget[] = [
  ...[ring, sealedRing, framedRing, envelope, wrapped, keyPage, unlocking],
];
