/** What the stores of the model stand on: memory, unless a run says otherwise. */
import { type Backend, MemoryBackend } from '../../src/backend/index.ts';
import type { KeySecret } from '../../src/keys/index.ts';
import { type MetadataHome, metadataHome } from '../support/living-store.ts';

export interface ModelParts {
  /** A backend that nobody has put anything to. */
  newBackend(): Promise<Backend>;
  /** Metadata that nobody has opened. */
  newHome(keys: KeySecret | undefined): Promise<MetadataHome>;
}

const IN_MEMORY: ModelParts = { newBackend: async () => new MemoryBackend(), newHome: (keys) => metadataHome(keys) };
let parts = IN_MEMORY;

export function modelParts(): ModelParts {
  return parts;
}

/** To be called before the first store is made. */
export function setModelParts(others: ModelParts): void {
  parts = others;
}
