/** Archives of other programs, in and out, as streams. */
export { readTar } from './read-tar.ts';
export type { TarItem, TarRefusal } from './tar-item.ts';
export { type WriteTarOptions, writeTar } from './write-tar.ts';
