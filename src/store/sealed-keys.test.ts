import { describe, expect, it } from 'vitest';
import { keyContext, sealedBase } from '../../test/support/sealed.ts';
import { createSealed, type KeyState, parseWriterCredential } from '../keys/index.ts';
import type { Inbox } from './key-types.ts';
import type { SealedCalls } from './sealed-calls.ts';
import { SealedKeys } from './sealed-keys.ts';

const CONTEXT = keyContext(3);
const STATE = await createSealed(sealedBase(), [{ key: new Uint8Array(32).fill(5) }], CONTEXT);

describe('the credential of a writer', () => {
  it('leaves its seed in the text only, of changes that another process overtook nowhere', async () => {
    const drawn: Uint8Array[] = [];
    const random = (count: number): Uint8Array => {
      const bytes = CONTEXT.random(count);
      if (count === 32) drawn.push(bytes);
      return bytes;
    };
    const keychain = {
      change: (change: (now: KeyState) => KeyState) => {
        change(STATE);
        return change(STATE);
      },
    };
    const calls = {
      change: (_: unknown, work: (...parts: unknown[]) => unknown) =>
        work(keychain, { keyContext: { ...CONTEXT, random } }),
    };
    const keys = new SealedKeys(calls as unknown as SealedCalls, {} as Inbox);
    const { signingSeed, label } = parseWriterCredential(await keys.exportWriter({ label: 'web-1' }));
    expect(label).toBe('web-1');
    expect(signingSeed).not.toEqual(new Uint8Array(32));
    expect(drawn).toEqual([new Uint8Array(32), new Uint8Array(32)]);
  });
});
