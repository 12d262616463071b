/** `holdfast.json`, plain and sealed, the mark of a backend, and what they hold as text. */

import { checkBackendKey, checkBackendPrefix, isBackendKey } from '../../../src/backend/backend-key.ts';
import { toHex, utf8Decode, utf8Encode } from '../../../src/bytes/bytes.ts';
import { formatChunking, parseChunking } from '../../../src/chunking/index.ts';
import { formatRedundancy, parseRedundancy } from '../../../src/erasure/index.ts';
import {
  decodeBackendMarker,
  decodeStoreConfig,
  encodeBackendMarker,
  encodeStoreConfig,
  type StoreConfig,
} from '../../../src/format/index.ts';
import { blake3 } from '../../../src/hash/index.ts';
import { backendUrl, territoryOf } from '../../../src/store/backends/backend-url.ts';
import { toPlace } from '../../../src/store/location.ts';
import { SAMPLE_CONFIG } from '../../support/format-samples.ts';
import { mustBeBytes, mustEqual, mustHold, mustMean } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';
import { goldenBytes } from './golden.ts';

const CONFIG_ERRORS = ['CONFIG_CORRUPT', 'FORMAT_UNSUPPORTED', 'SETTING_UNSUPPORTED'] as const;
const CHECK_FRONT = ',\n  "check": "';

/** The check made right for whatever stands before it, also where a mutation left none. */
export function withConfigCheck(input: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(input);
  const at = text.lastIndexOf(CHECK_FRONT);
  const front = at < 0 ? text.trimEnd().replace(/\}$/, '').trimEnd() : text.slice(0, at);
  return utf8Encode(`${front}${CHECK_FRONT}${toHex(blake3(utf8Encode(front)))}"\n}\n`);
}

function newerConfig(sample: Uint8Array, random: { integer(bound: number): number }): Uint8Array {
  const text = utf8Decode(sample);
  const newer = [
    text.replace(/"format": \d+/, '"format": 3'),
    text.replace(/"incompatible": \[[^\]]*\]/, '"incompatible": [\n      "from-later"\n    ]'),
    text.replace(/"digest": "[^"]*"/, '"digest": "blake4"'),
    text.replace(/"codec": "[^"]*"/, '"codec": "lz4"'),
    text.replace(/"redundancy": "[^"]*"/, '"redundancy": "fountain:3"'),
  ];
  return withConfigCheck(utf8Encode(newer[random.integer(newer.length)] ?? ''));
}

function config(name: string, samples: () => readonly Uint8Array[]): FuzzTarget {
  return fuzzTarget<StoreConfig>({
    name,
    samples,
    mutations: JSON_MUTATIONS,
    repair: withConfigCheck,
    newer: newerConfig,
    read: decodeStoreConfig,
    check: (value, input) => {
      // Members of a later version are read past where it says that they may be.
      if (value.features.readOnlyCompatible.length > 0) return;
      mustBeBytes(encodeStoreConfig(value), input, 'the config');
    },
    errors: CONFIG_ERRORS,
  });
}

export const SEALED_CONFIGS = [
  'keys/holdfast.json',
  'sealed-store/holdfast.json',
  'placement/sealed-config.txt',
] as const;

const HINTED = { ...SAMPLE_CONFIG, features: { ...SAMPLE_CONFIG.features, compatible: [] } };

const marker = fuzzTarget({
  name: 'backend-marker',
  samples: () => [goldenBytes('placement/backend-marker.txt')],
  mutations: JSON_MUTATIONS,
  newer: (sample) => utf8Encode(utf8Decode(sample).replace('"format": 1', '"format": 2')),
  read: decodeBackendMarker,
  check: (value) => mustMean(decodeBackendMarker(encodeBackendMarker(value)), value, 'the marker'),
  errors: ['CONFIG_CORRUPT', 'FORMAT_UNSUPPORTED'],
});

const redundancy = fuzzTarget({
  name: 'redundancy-text',
  samples: () => ['none', '1+0', '3+2', 'personal', '127+128', '255+0'].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseRedundancy(inputText(input)),
  check: (value) => mustEqual({ ...parseRedundancy(formatRedundancy(value)) }, { ...value }, 'the redundancy'),
  errors: ['REDUNDANCY_INVALID'],
});

const chunking = fuzzTarget({
  name: 'chunking-text',
  samples: () =>
    [
      'fixed:65536',
      'fastcdc:16384:65536:262144:2',
      'fastcdc:256:1024:4096:1:18446744073709551615',
      'buzhash:131072:524288:17',
      'given',
      'default',
    ].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => parseChunking(inputText(input)),
  check: (value) => mustEqual(parseChunking(formatChunking(value)), value, 'the chunking'),
  errors: ['CHUNKING_INVALID'],
});

const url = fuzzTarget({
  name: 'backend-url',
  samples: () =>
    [
      ...['/srv/store', 'relative/folder', 'file:///srv/a%20b', 'file:///srv/store.hold', 'C:x', './a#b?c'],
      ...['s3://bucket', 's3://b.ucket/in/side?endpoint=http://[::1]:8480/s3&region=eu-1&storageClass=GLACIER_IR'],
      's3://bucket/a?pathStyle=true',
    ].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => backendUrl(inputText(input)),
  check: (value) =>
    mustHold(
      backendUrl(value) === value && /^(?:\/|[a-z][a-z0-9+.-]+:)/.test(territoryOf(value)),
      'a backend has two URLs',
    ),
  errors: ['BACKEND_INVALID'],
});

const location = fuzzTarget({
  name: 'store-location',
  samples: () => ['memory:', './data', '/srv/store', 'vault.hold', 'C:\\x'].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => toPlace(inputText(input)),
  check: (place) => mustHold(['memory', 'file', 'folder'].includes(place.kind), 'a text is a place of another kind'),
  errors: ['LOCATION_INVALID'],
});

const backendKey = fuzzTarget({
  name: 'backend-key',
  samples: () =>
    ['holdfast.json', 'packs/0a/9f31c2aa0b6e4d7f8a1c5e3b7d90240a.0', 'a/b/c/d', 'x'.repeat(200)].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => checkBackendKey(inputText(input)),
  check: (key) => {
    mustHold(isBackendKey(key) && key.length <= 200, 'a key is one and is none');
    mustHold(!key.split('/').some((part) => part === '' || part.startsWith('.')), 'a part of a key begins with a dot');
    for (let length = 0; length <= key.length; length += 1) checkBackendPrefix(key.slice(0, length));
  },
  errors: ['BACKEND_KEY_INVALID'],
});

export const CONFIG_TARGETS: readonly FuzzTarget[] = [
  config('store-config', () =>
    [HINTED, SAMPLE_CONFIG]
      .map((one) => encodeStoreConfig(one))
      .concat([goldenBytes('placement/store-config.txt'), goldenBytes('store/holdfast.json')]),
  ),
  config('sealed-store-config', () => SEALED_CONFIGS.map(goldenBytes)),
  marker,
  redundancy,
  chunking,
  url,
  location,
  backendKey,
];
