/** `holdfast/client`: a store behind HTTP, for programs that reach it by `fetch`; nothing of the engine comes with it. */

export {
  type BatchOperation,
  type ClientDeleteOptions,
  type ClientListOptions,
  type ClientPutOptions,
  type ClientReadOptions,
  HoldfastClient,
  type UploadBody,
} from './client.ts';
export type { ClientOptions, Fetch } from './connection.ts';
