import { measureMillion } from './collecting/million.ts';
import type { Bench } from './harness/bench.ts';
import { loadLibrary } from './harness/library.ts';

export const bench: Bench = {
  name: 'million',
  about: 'a million small entries put, listed, deleted and collected',
  async run(context) {
    const library = await loadLibrary(context.say);
    return library === undefined ? [] : [await measureMillion(library, context)];
  },
};
