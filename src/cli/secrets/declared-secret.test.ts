import { describe, expect, it } from 'vitest';
import { declaredSecret, keySecretOf } from './declared-secret.ts';

const noStdin = (): Promise<string> => Promise.reject(new Error('standard input was read'));

describe('the declared secret', () => {
  it.each([
    [{}, {}, undefined],
    [{}, { HOLDFAST_PASSPHRASE: '', HOLDFAST_KEY_FILE: '' }, undefined],
    [{ keyFile: 'a' }, { HOLDFAST_PASSPHRASE: 'words' }, { kind: 'key-file', path: 'a' }],
    [{ passphraseFile: 'a' }, {}, { kind: 'passphrase-file', path: 'a' }],
    [{ identity: 'a' }, {}, { kind: 'identity', path: 'a' }],
    [{ credential: 'a' }, {}, { kind: 'credential', path: 'a' }],
    [{}, { HOLDFAST_PASSPHRASE: 'words' }, { kind: 'passphrase', passphrase: 'words' }],
    [{}, { HOLDFAST_KEY_FILE: 'a' }, { kind: 'key-file', path: 'a' }],
    [{}, { HOLDFAST_IDENTITY: 'a' }, { kind: 'identity', path: 'a' }],
    [{}, { HOLDFAST_CREDENTIAL: 'a' }, { kind: 'credential', path: 'a' }],
  ] as const)('of %j and %j is %j', (options, environment, secret) => {
    expect(declaredSecret(options, environment)).toEqual(secret);
  });

  it('is one: two of a kind of source are refused by their names', () => {
    expect(() => declaredSecret({ keyFile: 'a', identity: 'b' }, {})).toThrow('--key-file and --identity');
    expect(() => declaredSecret({}, { HOLDFAST_PASSPHRASE: 'a', HOLDFAST_CREDENTIAL: 'b' })).toThrow(
      'HOLDFAST_PASSPHRASE and HOLDFAST_CREDENTIAL',
    );
  });

  it('becomes what the library takes, and reads standard input for - alone', async () => {
    expect(await keySecretOf({ kind: 'key-file', path: '-' }, noStdin)).toEqual({ keyFile: '-' });
    expect(await keySecretOf({ kind: 'identity', path: 'a' }, noStdin)).toEqual({ identity: 'a' });
    expect(await keySecretOf({ kind: 'passphrase', passphrase: 'words' }, noStdin)).toEqual({ passphrase: 'words' });
    const typed = await keySecretOf({ kind: 'passphrase-file', path: '-' }, async () => 'from stdin');
    expect(typed).toEqual({ passphrase: 'from stdin' });
  });
});
