import { measureBesideIngest } from './collecting/beside-ingest.ts';
import { measureHalfDead } from './collecting/half-dead.ts';
import { measureMillion } from './collecting/million.ts';
import type { Bench } from './harness/bench.ts';
import { loadLibrary } from './harness/library.ts';

export const bench: Bench = {
  name: 'collecting',
  about: 'garbage of a million chunks, collecting beside a put, a million small entries',
  async run(context) {
    const library = await loadLibrary(context.say);
    if (library === undefined) return [];
    return [
      await measureHalfDead(library, context),
      await measureBesideIngest(library, context),
      await measureMillion(library, context),
    ];
  },
};
