/**
 * Stores for many machines, bytes in buckets and metadata in PostgreSQL, beside uploading the same bytes without one. The
 * services run on the same cores as the store: what counts are the ratios within a round.
 */
import path from 'node:path';
import type { Bench } from './harness/bench.ts';
import { loadLibrary } from './harness/library.ts';
import { measureIngest } from './shared/ingest.ts';
import { measureRequests } from './shared/request-costs.ts';
import { startServices } from './shared/services.ts';
import { measureSmallPuts } from './shared/small-puts.ts';

export const bench: Bench = {
  name: 'shared',
  about:
    'stores in buckets with metadata in PostgreSQL: ingest beside plain uploads, small puts, requests of each call',
  async run(context) {
    const library = await loadLibrary((line) => context.say(line));
    const services = library && (await startServices(path.join(context.workFolder, 's'), (line) => context.say(line)));
    if (library === undefined || services === undefined) return [];
    try {
      const parts = { library, services, context };
      const small = await measureSmallPuts(parts);
      const requests = await measureRequests(parts);
      return [...(await measureIngest(parts)), small, requests];
    } finally {
      await services.stop();
    }
  },
};
