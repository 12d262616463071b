/** The disk fails from one call on while a store moves, as when the process ends there; the move is made again. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { nodeFileSystem } from '../../src/runtime/file-system.ts';
import { type Place, toPlace } from '../../src/store/location.ts';
import { migrateAt } from '../../src/store/migrate/migrate.ts';
import { SYSTEM_SURROUNDINGS } from '../../src/store/surroundings.ts';
import { FaultyFileSystem } from '../../src/testing/index.ts';
import { noise } from '../support/contents.ts';
import { fillStore, heldBy } from '../support/moved-store.ts';
import { IS_THOROUGH, pointsOf, SAMPLE } from '../support/points.ts';
import { storeTemplate, testFolder } from '../support/stores.ts';

/** Of one run. */
const POINTS = 20;
const KEYS = { key: noise(32, 78) };
const KINDS = [
  ['plain', storeTemplate(fillStore), undefined],
  ['sealed', storeTemplate(fillStore, { keys: KEYS }), KEYS],
] as const;

describe.each(KINDS)(`a %s store whose move ends at any step (${SAMPLE})`, (_, template, keys) => {
  const given = keys ? { keys } : {};
  const heldAt = async (folder: string): Promise<unknown> => {
    await using store = await openStore(folder, { ...given, reserveBytes: 0 });
    return await heldBy(store);
  };

  async function ends() {
    const [from, to] = [await template.copy(), path.join(await testFolder(), 'new')];
    const fileSystem = new FaultyFileSystem(nodeFileSystem, from);
    const at = (folder: string): Place => ({
      ...toPlace(folder),
      surroundings: { ...SYSTEM_SURROUNDINGS, fileSystem },
    });
    return { from, to, fileSystem, move: () => migrateAt(at(from), at(to), given) };
  }

  it(
    'is at one of the two places, and moves on when it is asked again',
    async () => {
      const held = await heldAt(await template.copy());
      const whole = await ends();
      await whole.move();
      const calls = whole.fileSystem.trace.length;
      let resumed = 0;
      for (const point of pointsOf(calls, 0, POINTS)) {
        const { from, to, fileSystem, move } = await ends();
        fileSystem.fail({ call: 'any', code: 'EIO', nth: point + 1, times: Number.POSITIVE_INFINITY });
        await expect(move(), `point ${point} of ${calls}`).rejects.toMatchObject({ kind: 'unavailable' });
        fileSystem.heal();
        const report = await move().catch((error: unknown) => error);
        // The very last step told the source that it is none any more, and failed all the same.
        if ((report as { code?: string }).code !== 'NOT_A_STORE') expect(report).toMatchObject({ dryRun: false });
        resumed += (report as { resumed?: boolean }).resumed === true ? 1 : 0;
        expect(await heldAt(to), `after point ${point} of ${calls}`).toEqual(held);
        await expect(openStore(from, given)).rejects.toMatchObject({ code: 'NOT_A_STORE' });
      }
      expect(resumed).toBeGreaterThan(POINTS / 4);
    },
    IS_THOROUGH ? 1_200_000 : 120_000,
  );
});
