/** What a diagnosis says of the file of a store. */
import type { Backend } from '../backend/contract.ts';
import { SingleFileBackend } from '../single-file/index.ts';
import type { Finding } from './upkeep-types.ts';

const MIB = 1024 ** 2;
/** Less than this part of a capacity is worth a warning. */
const FREE_SHARE_LOW = 0.05;

/** How full the file is; nothing for other backends. */
export async function describeFile(backend: Backend): Promise<readonly Finding[]> {
  if (!(backend instanceof SingleFileBackend)) return [];
  const { pages, freePages, pageBytes, capacityBytes } = await backend.use();
  const mib = (bytes: number): number => Math.floor(bytes / MIB);
  const fileText = `${mib(pages * pageBytes)} MiB, of which ${mib(freePages * pageBytes)} MiB free for reuse`;
  const subject = 'file';
  if (capacityBytes === 0) return [{ subject, status: 'ok', message: `${fileText}; it grows with the store` }];
  const { freeBytes = 0 } = await backend.space();
  const message = `${fileText}; ${mib(freeBytes)} of ${mib(capacityBytes)} MiB can still be put`;
  if (freeBytes >= FREE_SHARE_LOW * capacityBytes) return [{ subject, status: 'ok', message }];
  const advice = 'delete entries that are not needed any more, or move the store to one with more capacity';
  return [{ subject, status: 'warning', message, advice }];
}
