/** Moves a store, and is killed as it tells of its progress for the n-th time: FROM BUCKET DATABASE N. */
import { migrateStore } from '../../src/index.ts';

const [from = '', backend = '', metadata = '', point = ''] = process.argv.slice(2);
let told = 0;
await migrateStore(
  from,
  { backend, metadata },
  {
    onProgress: () => {
      told += 1;
      if (told >= Number(point)) process.kill(process.pid, 'SIGKILL');
    },
  },
);
