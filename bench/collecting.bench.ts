import { measureBesideIngest } from './collecting/beside-ingest.ts';
import { measureHalfDead } from './collecting/half-dead.ts';
import type { Bench } from './harness/bench.ts';
import { loadLibrary } from './harness/library.ts';

export const bench: Bench = {
  name: 'collecting',
  about: 'garbage of a million chunks, and collecting beside a put',
  async run(context) {
    const library = await loadLibrary(context.say);
    if (library === undefined) return [];
    return [await measureBesideIngest(library, context), await measureHalfDead(library, context)];
  },
};
