import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NODE_VERSION_MIN, nodeRefusal } from './node-version.ts';

describe('nodeRefusal', () => {
  it.each([
    ['24.7.0', undefined],
    ['24.21.0', undefined],
    ['26.0.0', undefined],
    ['24.6.9', 'NODE_UNSUPPORTED'],
    ['22.19.0', 'NODE_UNSUPPORTED'],
    ['20.20.0', 'NODE_UNSUPPORTED'],
  ])('%s: %s', (version, code) => {
    expect(nodeRefusal(version)?.code).toBe(code);
  });

  it('asks for what the package asks for', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(engines.node).toBe(`>=${NODE_VERSION_MIN}`);
  });
});
