/** What a check proves: every invariant of a store by its name, and which pass over the store proves it. */

/** One walk over a part of the store, which proves several invariants at once. */
export type PassName =
  | 'metadata'
  | 'packs'
  | 'journal'
  | 'entries'
  | 'versions'
  | 'objects'
  | 'refs'
  | 'config'
  | 'references';

interface InvariantFacts {
  /** One line for people. */
  readonly summary: string;
  /** All the passes that have a part in it. */
  readonly passes: readonly PassName[];
  /** Proven only when it is asked for: it takes long, or says of harmless things that they are there. */
  readonly onRequest?: true;
}

/** Name of an invariant. */
export type InvariantName =
  | 'row-digests'
  | 'table-sums'
  | 'counters'
  | 'namespace-tallies'
  | 'entry-order'
  | 'items-placed'
  | 'live-bytes'
  | 'condemned-marked'
  | 'histories-count'
  | 'relations-resolve'
  | 'packs-present'
  | 'directories-agree'
  | 'shards-placed'
  | 'journal-chain'
  | 'entries-resolve'
  | 'versions-resolve'
  | 'objects-resolve'
  | 'refs-resolve'
  | 'config-agrees'
  | 'reference-counts'
  | 'condemned-unreachable'
  | 'no-leaked-packs'
  | 'no-stray-shards';

const INVARIANTS: Readonly<Record<InvariantName, InvariantFacts>> = {
  'row-digests': { summary: 'every row of the metadata is the one that was written', passes: ['metadata'] },
  'table-sums': { summary: 'no row of the metadata appeared or vanished', passes: ['metadata'] },
  counters: { summary: 'the counters of the store are what its rows come to', passes: ['metadata'] },
  'namespace-tallies': {
    summary: 'the counters of each namespace, which quotas go by, are what its rows come to',
    passes: ['metadata'],
  },
  'entry-order': { summary: 'the lists of a sealed store name every entry once, in order', passes: ['metadata'] },
  'items-placed': {
    summary: 'every item points to a pack or outbox record that is there, and packs count theirs',
    passes: ['metadata'],
  },
  'live-bytes': { summary: 'the live bytes of each pack are those of its counted items', passes: ['metadata'] },
  'condemned-marked': { summary: 'packs with condemned items say so, in an epoch that was', passes: ['metadata'] },
  'histories-count': { summary: 'every history counts the steps that there are', passes: ['metadata'] },
  'relations-resolve': {
    summary: 'relations are of entries that are there, and parents count their children',
    passes: ['metadata'],
  },
  'packs-present': { summary: 'every pack is on the backends, whole enough to be read', passes: ['packs'] },
  'directories-agree': {
    summary: 'the metadata finds items where the directories of their packs have them, and the other way round',
    passes: ['packs'],
  },
  'shards-placed': {
    summary: 'every shard is on the backend that the metadata says it is on',
    passes: ['metadata', 'packs'],
  },
  'journal-chain': {
    summary: 'commit numbers rise without a gap, each record naming the digest of the one before it',
    passes: ['metadata', 'journal'],
  },
  'entries-resolve': { summary: 'the manifest and the chunks of every entry are there', passes: ['entries'] },
  'versions-resolve': { summary: 'the content of every kept version is there', passes: ['versions'] },
  'objects-resolve': { summary: 'the content of every object is there, and all it refers to', passes: ['objects'] },
  'refs-resolve': { summary: 'what refs name is there, and what they named before', passes: ['metadata', 'refs'] },
  'config-agrees': { summary: 'the config on the backends is the one the metadata knows', passes: ['config'] },
  'reference-counts': {
    summary: 'every chunk, manifest node and object is counted as often as something refers to it',
    passes: ['references'],
    onRequest: true,
  },
  'condemned-unreachable': {
    summary: 'nothing that is condemned as garbage is referred to',
    passes: ['references'],
    onRequest: true,
  },
  'no-leaked-packs': {
    summary: 'every pack on a backend is known to a commit, or was written by a process at work',
    passes: ['packs'],
    onRequest: true,
  },
  'no-stray-shards': {
    summary: 'backends hold no shards beside those that the metadata says they hold',
    passes: ['packs'],
    onRequest: true,
  },
};

/** An invariant as lists tell of it. */
export interface InvariantInfo {
  readonly name: InvariantName;
  /** What it says, in one line. */
  readonly summary: string;
  /** A check proves it only when it is asked for. */
  readonly onRequest?: true;
}

const NAMES = Object.keys(INVARIANTS) as InvariantName[];

/** Every invariant that a check can prove, in the order in which it does. */
export const CHECK_INVARIANTS: readonly InvariantInfo[] = Object.freeze(
  NAMES.map((name) => {
    const { summary, onRequest } = INVARIANTS[name];
    return Object.freeze({ name, summary, ...(onRequest && { onRequest }) });
  }),
);

/** The passes that prove an invariant. */
export function passesOf(name: InvariantName): readonly PassName[] {
  return INVARIANTS[name].passes;
}

/** Whether a text names an invariant. */
export function isInvariantName(text: unknown): text is InvariantName {
  return typeof text === 'string' && Object.hasOwn(INVARIANTS, text);
}
