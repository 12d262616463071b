/** A worker module for tests of calls into threads. */
import { argumentRangeError } from '../../src/errors/argument-error.ts';
import { storeError } from '../../src/errors/store-error.ts';
import { serveCalls } from '../../src/runtime/worker-rpc.ts';
import { Transferred } from '../../src/runtime/worker-wire.ts';

const HANDLERS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  echo: ([value]) => value,
  bytesOf: ([value]) => (value as Uint8Array).buffer.byteLength,
  part: () => new Uint8Array(1_000_000).subarray(10, 110),
  giveBack: ([bytes]) => new Transferred(bytes, [(bytes as Uint8Array<ArrayBuffer>).buffer]),
  environment: () => ({ execArgv: process.execArgv, cwd: process.cwd() }),
  storeError: () => {
    const cause = new Error('deep', { cause: storeError('BACKEND_IO', 'deeper', { retry: false }) });
    throw storeError('DISK_FULL', 'no room', { details: { path: '/x', size: 7 }, retry: true, cause });
  },
  rangeError: () => {
    throw argumentRangeError('count', 'positive', -1);
  },
  systemError: () => {
    throw Object.assign(new Error('ENOENT: gone'), { code: 'ENOENT' });
  },
  text: () => {
    throw 'just text';
  },
  uncloneable: () => () => 0,
  crash: () => {
    setImmediate(() => {
      throw new Error('crashed');
    });
    return new Promise(() => undefined);
  },
  exit: () => process.exit(3),
};

serveCalls(async ({ method, args, signal, progress }) => {
  if (method === 'count') {
    for (let index = 1; index <= Number(args[0]); index += 1) progress(index, Number(args[0]));
    return 'counted';
  }
  if (method === 'untilAborted') {
    progress('waiting');
    await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    return 'nobody hears this';
  }
  return HANDLERS[method]?.(args);
});
