import type { ErrorCode } from '../errors/codes.ts';
import type { StoreError } from '../errors/store-error.ts';
import type { ShardLocation } from './shard-set.ts';

/** A shard that a backend did not take, or not give up, as plain data. */
export interface ShardFailure {
  readonly index: number;
  readonly location: ShardLocation;
  readonly code: ErrorCode;
  readonly message: string;
}

/** A backend's error as plain data. */
export function shardFailure(index: number, location: ShardLocation, { code, message }: StoreError): ShardFailure {
  return { index, location, code, message };
}
