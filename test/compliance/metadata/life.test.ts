import { describe, expect, it } from 'vitest';
import { idsOf, packAdd, packOf, put, request } from '../../support/metadata-samples.ts';
import { SUBJECTS } from './subjects.ts';
import { commit, entry, expectSound, openerOf } from './suite.ts';

describe.each(SUBJECTS)('$name', (subject) => {
  describe('a handle', () => {
    const { open, openAgain } = openerOf(subject);

    it('answers nothing after close, and closes twice', async () => {
      const metadata = await open();
      await metadata.close();
      await metadata.close();
      await expect(metadata.head()).rejects.toMatchObject({ kind: 'closed', code: 'STORE_CLOSED' });
      await expect(metadata.commit([request(put('a'))])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });

    it('finishes calls under way before it closes', async () => {
      const metadata = await open();
      const committed = commit(metadata, put('a'));
      await metadata.close();
      expect(await committed).toMatchObject({ ok: true, commit: 1 });
    });

    it('neither keeps nor changes what it is given', async () => {
      const metadata = await open();
      const buffer = new Uint8Array(4096);
      const ids = buffer.subarray(100, 164);
      ids.set(idsOf('a', 'b'));
      const sample = packOf(1, [ids.subarray(0, 32), ids.subarray(32)]);
      const done = metadata.commit([request(packAdd(sample))]);
      expect(ids).toEqual(idsOf('a', 'b'));
      await done;
      ids.fill(0);
      expect(await metadata.locate('chunk', idsOf('a', 'b'))).toMatchObject([{ ordinal: 0 }, { ordinal: 1 }]);
    });

    it('checks in steps that let commits through, and reports progress', async () => {
      const metadata = await open();
      for (let round = 0; round < 4; round += 1) {
        await commit(metadata, ...Array.from({ length: 1000 }, (_, index) => put(`${round}/${index}`)));
      }
      const steps: number[] = [];
      const checked = metadata.check({ progress: (done, total) => steps.push(done / total) });
      for (let index = 0; index < 10; index += 1) await commit(metadata, put(`more ${index}`));
      const { problems, tables } = await checked;
      expect(problems).toEqual([]);
      expect(tables.every(({ sumMatches }) => sumMatches)).toBe(true);
      expect(steps.length).toBeGreaterThan(3);
      expect(steps).toEqual(steps.toSorted((a, b) => a - b));
      expect(steps.at(-1)).toBe(1);
      await expectSound(metadata);
    });

    it('stops a check with the reason of the signal', async () => {
      const metadata = await open();
      for (let round = 0; round < 3; round += 1) {
        await commit(metadata, ...Array.from({ length: 1000 }, (_, index) => put(`${round}/${index}`)));
      }
      const reason = new Error('enough');
      const controller = new AbortController();
      const check = metadata.check({ signal: controller.signal, progress: () => controller.abort(reason) });
      await expect(check).rejects.toBe(reason);
      await commit(metadata, put('after'));
      expect(await entry(metadata, 'after')).toBeDefined();
    });

    it.skipIf(!openAgain)('takes turns with another: no number is lost and none is given twice', async () => {
      const [first, second] = [await open(), await openAgain?.()];
      if (!second) return;
      const commits = [first, second].map(async (metadata, who) => {
        const numbers: number[] = [];
        for (let index = 0; index < 40; index += 1)
          numbers.push((await commit(metadata, put(`${who}/${index}`))).commit);
        return numbers;
      });
      const numbers = (await Promise.all(commits)).flat().toSorted((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
      expect(await first.counters()).toEqual(await second.counters());
      expect(await first.counters()).toMatchObject({ entries: 80, outbox: 80 });
      await expectSound(second);
    });
  });
});
