/** What the server says: the shapes of the library, as JSON. */
import type { Verb } from '../../src/server/access/grant.ts';

export type {
  EntriesStats,
  EntryInfo,
  NamespaceInfo,
  PlacementStatus,
  SnapshotInfo,
  StoreMetrics,
  VersionInfo,
} from '../../src/index.ts';
export type { JobInfo, JobKind } from '../../src/server/jobs/job.ts';

/** Who we are to the server. */
export interface Access {
  readonly name: string;
  readonly verbs: readonly Verb[];
  readonly namespaces?: readonly string[];
  readonly sealed: boolean;
  readonly conditionalWrites: boolean;
  /** Whether uploads go on after a cut. */
  readonly resumable: boolean;
  /** Whether there are disks that may be broken. */
  readonly demo: boolean;
}
