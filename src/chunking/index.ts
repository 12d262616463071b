/** `holdfast/chunking`: cuts content into chunks, by content (FastCDC, Buzhash) or by size. Pure; nothing is stored. */
export { type Chunker, createChunker } from './chunker.ts';
export { CHUNKING_PROFILES, type ChunkingProfile } from './profiles.ts';
export {
  type BuzhashSpec,
  type ChunkingSpec,
  checkChunking,
  type FastCdcSpec,
  type FixedSpec,
  type GivenSpec,
} from './spec.ts';
export { formatChunking, parseChunking } from './spec-text.ts';
