import { describe, expect, it } from 'vitest';
import { BROKEN_BACKENDS } from './broken-backends.ts';
import { collectSuite } from './collecting-runner.ts';
import { openBroken } from './sound-backend.ts';

describe('the backend suite', () => {
  it('passes a sound backend in every test, and skips none', async () => {
    const results = await collectSuite(() => openBroken((sound) => sound));
    expect(results.filter((result) => result.outcome !== 'passed')).toEqual([]);
    expect(results.length).toBeGreaterThan(20);
  });

  it('has a test, and here a broken backend, for each of B1 to B16', async () => {
    const results = await collectSuite(() => openBroken((sound) => sound));
    const numbers = Array.from({ length: 16 }, (_, index) => `B${index + 1}`);
    expect([...new Set(results.map((result) => result.title.split(' ')[0]))]).toEqual(numbers);
    expect(new Set(BROKEN_BACKENDS.map((broken) => broken.number))).toEqual(new Set(numbers));
  });

  for (const { number, title, breakage } of BROKEN_BACKENDS) {
    it(`catches under ${number}: ${title}`, async () => {
      const results = await collectSuite(() => openBroken(breakage));
      const caught = results
        .filter((result) => result.outcome === 'failed')
        .map((result) => result.title.split(' ')[0]);
      expect(caught).toContain(number);
    });
  }

  it('fails a backend that says it is durable and cannot be crashed', async () => {
    const results = await collectSuite(async () => {
      const { crash: _crash, ...opened } = await openBroken((sound) => sound);
      return opened;
    });
    expect(results.filter((result) => result.outcome === 'failed').map((result) => result.title.split(' ')[0])).toEqual(
      ['B3'],
    );
  });
});
