/** What people keep of keys: key files, identities, credentials, shares, signatures, guards, names and labels. */
import { toHex, utf8Decode, utf8Encode } from '../../../src/bytes/bytes.ts';
import { formatShare, parseShare } from '../../../src/crypto/share-text.ts';
import { blake3 } from '../../../src/hash/index.ts';
import {
  combineIdentity,
  formatIdentity,
  formatKey,
  formatPublicIdentity,
  formatWriterCredential,
  type GuardState,
  isNamespaceName,
  parseIdentity,
  parseKey,
  parsePublicIdentity,
  parseSignatureDocument,
  parseWriterCredential,
  readGuard,
  verifySignatureDocument,
  writeGuard,
} from '../../../src/keys/index.ts';
import { checkLabel } from '../../../src/keys/label.ts';
import { checkNamespaceName } from '../../../src/keys/namespace-name.ts';
import { passphraseBytes } from '../../../src/keys/passphrase.ts';
import { type FileSystem, nodeFileSystem } from '../../../src/runtime/file-system.ts';
import { mustBeBytes, mustEqual, mustHold, mustMean } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { BYTE_MUTATIONS } from '../mutations/bytes.ts';
import { JSON_MUTATIONS } from '../mutations/json.ts';
import { inputParts, partMutations, partsInput } from '../mutations/parts.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';
import { goldenBytes, goldenText } from './golden.ts';

const IDENTITIES = ['keys/ml-kem-1024.identity', 'keys/ml-dsa-87.identity', 'keys/ed25519.identity'] as const;
const SIGNATURES = ['keys/ml-dsa-87.signature', 'keys/ed25519.signature'] as const;
const LINES = goldenText('keys/public-lines.txt').trimEnd().split('\n');
const SHARES = goldenText('keys/shares.txt').trimEnd().split('\n');
const DOCUMENT_ERRORS = ['CREDENTIAL_INVALID', 'FORMAT_UNSUPPORTED'] as const;

function newerDocument(sample: Uint8Array): Uint8Array {
  return utf8Encode(utf8Decode(sample).replace('"version": 1', '"version": 2'));
}

const keyFile = fuzzTarget({
  name: 'key-file',
  samples: () => {
    const text = goldenText('keys/master.key').trim();
    const raw = new Uint8Array(Buffer.from(text, 'hex'));
    return [
      utf8Encode(`${text}\n`),
      utf8Encode(text.toUpperCase()),
      raw,
      utf8Encode(`${Buffer.from(raw).toString('base64')}\r\n`),
    ];
  },
  mutations: [...TEXT_MUTATIONS, ...BYTE_MUTATIONS],
  read: parseKey,
  check: (key) => mustBeBytes(parseKey(formatKey(key)), key, 'the key'),
  errors: ['CREDENTIAL_INVALID'],
});

const identity = fuzzTarget({
  name: 'identity',
  samples: () => IDENTITIES.map(goldenBytes),
  mutations: JSON_MUTATIONS,
  newer: newerDocument,
  read: parseIdentity,
  check: (value) => {
    const again = parseIdentity(formatIdentity(value));
    mustEqual(
      [again.algorithm, again.seed, again.publicKey],
      [value.algorithm, value.seed, value.publicKey],
      'the identity',
    );
  },
  errors: DOCUMENT_ERRORS,
});

const credential = fuzzTarget({
  name: 'writer-credential',
  samples: () => [goldenBytes('keys/scanner.writer')],
  mutations: JSON_MUTATIONS,
  newer: newerDocument,
  read: parseWriterCredential,
  check: (value) =>
    mustMean({ ...parseWriterCredential(formatWriterCredential(value)) }, { ...value }, 'the credential'),
  errors: DOCUMENT_ERRORS,
});

const ROOT = `blake3:${'00112233445566778899aabbccddeeff'.repeat(2)}`;

const signature = fuzzTarget({
  name: 'signature-document',
  samples: () => SIGNATURES.map(goldenBytes),
  mutations: JSON_MUTATIONS,
  newer: newerDocument,
  read: (input) => {
    const facts = parseSignatureDocument(input);
    const line = LINES.find((one) => one.includes(` ${facts.algorithm} `)) ?? '';
    return { facts, isVerified: verifySignatureDocument(input, { signer: line, text: ROOT, context: 'golden' }) };
  },
  check: ({ facts, isVerified }) => {
    if (isVerified)
      mustHold(facts.text === ROOT && facts.context === 'golden', 'a signature over something else is good');
  },
  errors: DOCUMENT_ERRORS,
});

/** The 4 bytes behind a public key made right, so that what the key itself must be is looked at. */
function withLineCheck(input: Uint8Array): Uint8Array {
  const [word = '', algorithm = '', encoded = ''] = inputText(input).trim().split(' ');
  const bytes = new Uint8Array(Buffer.from(encoded, 'base64'));
  const key = bytes.subarray(0, Math.max(0, bytes.length - 4));
  const front = `${word} ${algorithm} `;
  const check = blake3(Buffer.concat([utf8Encode(front), key])).subarray(0, 4);
  return utf8Encode(front + Buffer.concat([key, check]).toString('base64'));
}

const publicLine = fuzzTarget({
  name: 'public-line',
  samples: () => LINES.map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  repair: withLineCheck,
  read: (input) => parsePublicIdentity(inputText(input)),
  check: (value, input) =>
    mustHold(formatPublicIdentity(value) === inputText(input).trim(), 'a public key has two lines'),
  errors: ['CREDENTIAL_INVALID'],
});

/** The checksum made right, as of somebody who writes shares. */
function withShareCheck(input: Uint8Array): Uint8Array {
  const body = inputText(input)
    .replace(/\s+/g, '')
    .toLowerCase()
    .replace(/-[^-]*$/, '');
  return utf8Encode(`${body}-${toHex(blake3(utf8Encode(body)).subarray(0, 4))}`);
}

const share = fuzzTarget({
  name: 'recovery-share',
  samples: () => [...SHARES, SHARES[0]?.toUpperCase() ?? ''].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  repair: withShareCheck,
  read: (input) => parseShare(inputText(input)),
  check: (value, input) =>
    mustHold(formatShare(value) === inputText(input).replace(/\s+/g, '').toLowerCase(), 'a share has two texts'),
  errors: ['CREDENTIAL_INVALID'],
});

const combination = fuzzTarget({
  name: 'recovery-shares-together',
  samples: () =>
    [SHARES, SHARES.slice(1), [...SHARES, ...SHARES].reverse()].map((lines) => partsInput(lines.map(utf8Encode))),
  mutations: partMutations([TEXT_MUTATIONS]),
  repair: (input) => partsInput(inputParts(input).map(withShareCheck)),
  read: (input) => combineIdentity(inputParts(input).map(inputText)),
  check: (value) => mustHold(formatIdentity(value) === goldenText(IDENTITIES[0]), 'shares restore another identity'),
  errors: ['CREDENTIAL_INVALID'],
});

/** A file system with one file, whatever it is called. */
function oneFile(bytes: Uint8Array): FileSystem {
  const stat = async () => ({
    size: bytes.length,
    mtimeMs: 0,
    ctimeMs: 0,
    ino: 1,
    mode: 0o100600,
    isFile: () => true,
    isDirectory: () => false,
  });
  const handle = {
    stat,
    read: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
      const piece = bytes.subarray(position, position + length);
      buffer.set(piece, offset);
      return { bytesRead: piece.length };
    },
    write: async () => ({ bytesWritten: 0 }),
    sync: async () => undefined,
    close: async () => undefined,
  };
  return { ...nodeFileSystem, stat, open: async () => handle };
}

const GUARD: GuardState = {
  storeId: '0f'.repeat(16),
  keys: 'ab'.repeat(32),
  generation: 3,
  commit: 17,
  digest: 'cd'.repeat(32),
};

async function writtenGuard(state: GuardState): Promise<Uint8Array> {
  const written: Uint8Array[] = [];
  const handle = { ...(await oneFile(new Uint8Array(0)).open('', 'r')) };
  const write = async (buffer: Uint8Array): Promise<{ bytesWritten: number }> => {
    written.push(buffer.slice());
    return { bytesWritten: buffer.length };
  };
  const nothing = async (): Promise<void> => undefined;
  const fileSystem = {
    ...oneFile(new Uint8Array(0)),
    open: async () => ({ ...handle, write }),
    mkdir: nothing,
    rename: nothing,
    syncDirectory: nothing,
  };
  await writeGuard(state, { folder: 'guards', fileSystem }, (length) => new Uint8Array(length));
  return written[0] ?? new Uint8Array(0);
}

const guard = fuzzTarget({
  name: 'rollback-guard',
  samples: () => Promise.all([writtenGuard(GUARD), writtenGuard({ ...GUARD, keys: 'none', commit: 0 })]),
  mutations: JSON_MUTATIONS,
  read: (input) => readGuard(GUARD.storeId, { folder: 'guards', fileSystem: oneFile(input) }),
  check: async (value) => {
    mustHold(value !== undefined, 'a guard that is there is not there');
    const again = await writtenGuard(value);
    mustMean(await readGuard(GUARD.storeId, { folder: 'guards', fileSystem: oneFile(again) }), value, 'the guard');
  },
  errors: ['CREDENTIAL_INVALID'],
});

const passphrase = fuzzTarget({
  name: 'passphrase-text',
  samples: () => ['correct horse battery Stäpel', 'e\u0301\u3000x', 'x'].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => passphraseBytes(inputText(input)),
  check: (bytes) => mustBeBytes(passphraseBytes(utf8Decode(bytes)), bytes, 'what the passphrase stands for'),
  errors: ['CREDENTIAL_INVALID'],
});

const namespace = fuzzTarget({
  name: 'namespace-name',
  samples: () => ['default', 'tenant of müller & sons', 'x'.repeat(64)].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => checkNamespaceName(inputText(input)),
  check: (name) => mustHold(isNamespaceName(utf8Decode(utf8Encode(name))), 'a name is none as UTF-8'),
  errors: ['NAMESPACE_INVALID'],
});

const label = fuzzTarget({
  name: 'key-label',
  samples: () => ['safe', 'Zoë', '🔑'.repeat(30)].map(utf8Encode),
  mutations: TEXT_MUTATIONS,
  read: (input) => checkLabel(inputText(input)),
  check: (text) => mustHold(utf8Decode(utf8Encode(text)) === text, 'a label is another one as UTF-8'),
  errors: [],
  arguments: true,
});

export const KEY_TARGETS: readonly FuzzTarget[] = [
  ...[keyFile, identity, credential, signature, publicLine, share, combination, guard],
  ...[passphrase, namespace, label],
];
