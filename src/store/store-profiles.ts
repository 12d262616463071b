/** What a named setting of a store stands for. */
export interface StoreProfileSettings {
  /** zstd level. */
  readonly compressionLevel: number;
}

/**
 * Named settings of new stores. A store records what they stand for, not the name.
 * - `fast`: the default; compression keeps up with everything else
 * - `small`: no more bytes than other programs that deduplicate keep, for about a fifth more of the processor; chosen by
 *   `npm run bench -- space`
 */
export const STORE_PROFILES = Object.freeze({
  fast: { compressionLevel: 1 },
  small: { compressionLevel: 3 },
}) satisfies Readonly<Record<string, StoreProfileSettings>>;

/** Name of a setting. */
export type StoreProfile = keyof typeof STORE_PROFILES;
