/**
 * Bugs as somebody could write them, each planted alone in a copy of the sources: whether the tests can see. What is
 * found must stand in its file exactly once, which a test of its own holds.
 */

/** One bug. */
export interface PlantedBug {
  /** Words with dashes, unique. */
  readonly name: string;
  /** Path from the root of the project. */
  readonly file: string;
  /** What stands there, and what is planted instead. */
  readonly find: string;
  readonly plant: string;
  /** Tests of which at least one must fail. */
  readonly tests: readonly string[];
}

const COLLECTING = ['test/store/collecting.test.ts', 'test/store/collecting-objects.test.ts'];
const CONTRACT = ['test/compliance/metadata/collecting.test.ts'];
const POWER = ['test/simulation/cuts.test.ts'];
const FAULTS = ['test/simulation/faults.test.ts'];

/** Of what is durable, and when it is said to be. */
const DURABILITY: readonly PlantedBug[] = [
  {
    name: 'content-not-flushed',
    file: 'src/backend/fs-file.ts',
    find: 'await handle.sync();',
    plant: '',
    tests: ['src/backend/fs-durability.test.ts', ...POWER],
  },
  {
    name: 'name-not-flushed',
    file: 'src/backend/fs-backend.ts',
    find: "await this.#syncNames(dirname(target), { action: 'put', root: this.root, key });",
    plant: '',
    tests: ['src/backend/fs-durability.test.ts', ...POWER],
  },
  {
    name: 'folder-not-flushed',
    file: 'src/backend/fs-folders.ts',
    find: 'await this.#fileSystem.syncDirectory(parent);',
    plant: '',
    tests: ['src/backend/fs-durability.test.ts', ...POWER],
  },
  {
    name: 'failed-flush-of-content-ignored',
    file: 'src/backend/fs-file.ts',
    find: 'await handle.sync();',
    plant: 'await handle.sync().catch(() => undefined);',
    tests: FAULTS,
  },
  {
    name: 'failed-flush-of-names-ignored',
    file: 'src/backend/fs-backend.ts',
    find: 'await this.#fileSystem.syncDirectory(folder);',
    plant: 'await this.#fileSystem.syncDirectory(folder).catch(() => undefined);',
    tests: FAULTS,
  },
  {
    name: 'acknowledged-before-the-journal',
    file: 'src/store/committer.ts',
    find: `    this.#commits += 1;
    try {
      await this.#journal.flush();`,
    plant: `    this.#commits += 1;
    try {
      this.#journal.flush().catch(() => undefined);`,
    tests: ['test/durability/backend-faults.test.ts', ...POWER],
  },
  {
    name: 'poison-forgotten',
    file: 'src/store/health.ts',
    find: 'if (!isDefinite(error)) this.#poisonedBy ??= error;',
    plant: '',
    tests: ['test/durability/file-faults.test.ts', 'test/store/failing.test.ts'],
  },
  {
    name: 'too-few-shards-acknowledged',
    file: 'src/placement/stripe-writer.ts',
    find: 'return k + parityNeeded(m, this.#policy.parityMin);',
    plant: 'return k - 1;',
    tests: ['src/placement/stripe-writer.test.ts', 'src/placement/pack-store.test.ts'],
  },
];

/** Of collecting garbage. */
const GARBAGE: readonly PlantedBug[] = [
  {
    name: 'published-epoch-ignored',
    file: 'src/metadata/condemning.ts',
    find: 'oldestEpoch: Math.min(head.epoch, ...live.map(({ epoch }) => epoch)),',
    plant: 'oldestEpoch: head.epoch + 0 * live.length,',
    tests: COLLECTING,
  },
  {
    name: 'doom-not-checked',
    file: 'src/metadata/condemning.ts',
    find: 'if (state.oldestEpoch >= condemned && isCounted && !blocked) return;',
    plant: 'if (condemned >= 0) return;',
    tests: CONTRACT,
  },
  {
    name: 'fenced-session-commits',
    file: 'src/metadata/sessions.ts',
    find: 'if (!row || row.ended) throw fenced(id);',
    plant: 'if (!row) throw fenced(id);',
    tests: CONTRACT,
  },
  {
    name: 'count-off-by-one',
    file: 'src/metadata/reference-counts.ts',
    find: `    const refs = row.refs + change;
    if (isDrift(state, refs)) return;
    state.putItem(`,
    plant: `    const refs = row.refs + change + (change < 0 && row.refs > 1 ? -1 : 0);
    if (isDrift(state, refs)) return;
    state.putItem(`,
    tests: [...COLLECTING, 'test/store/invariants.test.ts'],
  },
  {
    name: 'revival-lost',
    file: 'src/metadata/reference-counts.ts',
    find: 'state.putItem({ ...row, refs, condemned: refs > 0 ? 0 : row.condemned });',
    plant: 'state.putItem({ ...row, refs: 0, condemned: row.condemned });',
    tests: COLLECTING,
  },
  {
    name: 'condemned-chunk-counted-on',
    file: 'src/metadata/item-queries.ts',
    find: 'return rows.map((row) => row?.suspect === 0 && row.condemned === null);',
    plant: 'return rows.map((row) => row?.suspect === 0);',
    tests: CONTRACT,
  },
  {
    name: 'unreadable-reference-blocks-nothing',
    file: 'src/metadata/reference-counts.ts',
    find: "parked: row.change > 0 ? 'blocking' : 'harmless'",
    plant: "parked: 'harmless'",
    tests: COLLECTING,
  },
  {
    name: 'copied-unproven',
    file: 'src/maintenance/gc/live-copy.ts',
    find: 'if (equalBytes(actual, id)) return;',
    plant: 'if (equalBytes(actual, actual) || id) return;',
    tests: ['src/maintenance/gc/live-copy.test.ts'],
  },
];

/** Of the journal and the metadata. */
const BOOKS: readonly PlantedBug[] = [
  {
    name: 'gap-not-told',
    file: 'src/metadata/replay.ts',
    find: 'if (commit > head.commit + 1) throw gap(head.commit + 1, commit);',
    plant: '',
    tests: ['test/compliance/metadata/replay.test.ts', 'test/durability/metadata-loss.test.ts'],
  },
  {
    name: 'fork-not-told',
    file: 'src/metadata/replay.ts',
    find: 'if (commit === head.commit + 1 && !equalBytes(previous, head.digest)) throw fork(commit, head.digest, previous);',
    plant: '',
    tests: [
      'test/compliance/metadata/replay.test.ts',
      'test/durability/forked-metadata.test.ts',
      'test/durability/metadata-loss.test.ts',
    ],
  },
  {
    name: 'vanished-row-not-summed',
    file: 'src/metadata/row-set.ts',
    find: 'if (before) sum = addToSum(sum, before.digest, -1);',
    plant: '',
    tests: ['src/metadata', 'test/store/checking.test.ts'],
  },
  {
    name: 'removed-item-still-counted',
    file: 'src/metadata/working-state.ts',
    find: `    if (before) this.#countItem(before, -1);
    this.items.remove(key);`,
    plant: '    this.items.remove(key);',
    tests: [...COLLECTING, 'test/store/invariants.test.ts'],
  },
];

/** Of bytes and what proves them. */
const BYTES: readonly PlantedBug[] = [
  {
    name: 'record-tag-not-compared',
    file: 'src/format/pack-frame.ts',
    find: 'if (key === undefined) return equalBytes(tag, checkOf(frame.aad, content)) ? content : undefined;',
    plant: 'if (key === undefined) return content;',
    tests: ['src/format'],
  },
  {
    name: 'nonce-repeated',
    file: 'src/format/pack-frame.ts',
    find: 'return new BinaryWriter(AEAD_NONCE_BYTES).u32(ordinal).u8(nonceKind).bytes;',
    plant: 'return new BinaryWriter(AEAD_NONCE_BYTES).u32(0 * ordinal).u8(nonceKind).bytes;',
    tests: ['src/format', 'test/golden/format.test.ts'],
  },
  {
    name: 'chunk-not-hashed-on-read',
    file: 'src/pipeline/item-reader.ts',
    find: 'if (!equalBytes(blake3(bytes), digest)) {',
    plant: 'if (bytes.length < 0 && !equalBytes(blake3(bytes), digest)) {',
    tests: ['src/pipeline', 'test/store/damage.test.ts'],
  },
  {
    name: 'shard-of-another-stripe',
    file: 'src/placement/stripe-reader.ts',
    find: 'if (equalBytes(roots, this.#at.stripe.roots)) return;',
    plant: 'if (roots.length > 0) return;',
    tests: ['src/placement', 'test/store/backend-loss.test.ts'],
  },
  {
    name: 'other-field',
    file: 'src/erasure/gf.ts',
    find: 'export const GF_POLYNOMIAL = 0x11d;',
    plant: 'export const GF_POLYNOMIAL = 0x12d;',
    tests: ['src/erasure'],
  },
  {
    name: 'journal-pack-short-of-commits',
    file: 'src/maintenance/journal-reader.ts',
    find: 'if (!gapFree || entries.at(-1)?.commit !== lastCommit) {',
    plant: 'if (!gapFree && entries.at(-1)?.commit !== lastCommit) {',
    tests: ['src/maintenance/journal-reader.test.ts'],
  },
  {
    name: 'removed-chunk-told-of-again',
    file: 'src/maintenance/adopt-journal.ts',
    find: '.slice(0, known)',
    plant: '.slice(0)',
    tests: CONTRACT,
  },
  {
    name: 'fork-between-journal-packs-ignored',
    file: 'src/maintenance/adopt-journal.ts',
    find: 'if (!equalBytes(record, entry.record)) throw fork(commit);',
    plant: '',
    tests: ['src/maintenance/adopt-journal.test.ts'],
  },
];

export const BUGS: readonly PlantedBug[] = [...DURABILITY, ...GARBAGE, ...BOOKS, ...BYTES];
