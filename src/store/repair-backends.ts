import {
  type BackendRepairOptions,
  type BackendRepairReport,
  repairFromShards,
} from '../maintenance/repair-from-shards.ts';
import type { Connection } from './backends/connect.ts';
import { connectBackends } from './connect-store.ts';
import { checkExistingPlace, checkWritablePlace, openPlace, readConfig, toPlace } from './location.ts';
import type { OpenOptions, StoreLocation } from './types.ts';

/**
 * Repairs the packs of a store from what lies on its backends alone: without its keys and without its metadata, for who
 * keeps the disks of a sealed store and not its keys, or before a rebuild. No process may have the store open. It trusts
 * the config for where the backends are; what is a sound shard the other shards of its stripe decide, two of them at
 * least. Leftovers of interrupted puts, and packs that were deleted from some backends only, look like packs that have
 * lost shards. Whoever has keys and metadata uses `store.maintenance.repair`, which knows better.
 * @throws what `openStore` throws for a location; the signal's reason
 * @example const report = await repairBackends('./vault', { dryRun: true });
 */
export async function repairBackends(
  location: StoreLocation,
  options: BackendRepairOptions & Pick<OpenOptions, 'backendModules'> = {},
): Promise<BackendRepairReport> {
  const place = toPlace(location, options);
  const readOnly = options.dryRun === true;
  await checkExistingPlace(place);
  if (!readOnly) await checkWritablePlace(place);
  const { backend } = await openPlace(place, { readOnly, create: false });
  let connection: Connection | undefined;
  try {
    const config = await readConfig(backend, { readOnly, signal: options.signal });
    connection = await connectBackends({ place, backend }, config, { readOnly });
    return await repairFromShards(connection.backends, options);
  } finally {
    await (connection?.control ?? backend).close();
  }
}
