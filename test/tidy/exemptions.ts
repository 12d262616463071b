/** Files that are long because they hold a table of numbers and nothing else. Each must be longer than the bound. */
export const TABLES: readonly string[] = [];

/**
 * Words of neighbouring systems for things that have another name here; `docs/glossary.md` holds the right ones. Only
 * words that have no honest second meaning in this code base are listed, so that a finding is never a false alarm.
 */
export const NEVER_WORDS: Readonly<Record<string, string>> = {
  repo: 'store',
  repository: 'store',
  vault: 'store',
  segment: 'chunk or pack',
  container: 'pack',
  recipe: 'manifest',
  cid: 'digest or id',
  fragment: 'shard',
  catalog: 'metadata',
  fsck: 'check',
  reindex: 'rebuild',
  sweep: 'delete',
  prune: 'delete',
  raid: 'redundancy',
};

/** Names that a published specification gives to its own things, and where. Each must be in use. */
export const CITED_NAMES: Readonly<Record<string, string>> = {
  singleSegment: 'RFC 8878, section 3.1.1.1.1: Single_Segment_flag',
};
