/** A process that commits one entry after the other and prints each number: `path`, `name of its keys`, `how many`. */
import { openSqliteMetadata } from '../../src/metadata/index.ts';
import { SAMPLE_STORE } from './format-samples.ts';
import { put, request } from './metadata-samples.ts';

const [, , path = '', name = '', count = '0'] = process.argv;
const metadata = await openSqliteMetadata({ path, storeId: SAMPLE_STORE, create: false, busyTimeoutMs: 60_000 });
for (let index = 0; index < Number(count); index += 1) {
  const [outcome] = await metadata.commit([request(put(`${name}/${index}`))]);
  if (!outcome?.ok) throw outcome?.error ?? new Error('no outcome');
  console.log(outcome.commit);
}
await metadata.close();
