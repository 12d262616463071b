/** What lies on the backends and no pack accounts for: is it of somebody who is at work, or has nobody any use for it? */
import { toHex } from '../bytes/bytes.ts';
import { parseShardKey, type ShardName } from '../format/index.ts';
import { GC_SCAN_ROWS } from '../limits.ts';
import type { BackendLink } from '../placement/backend-link.ts';
import { allPacks } from './all-packs.ts';
import type { CheckedStore } from './checked-store.ts';
import { isOfNobody, unknownShards } from './gc/leaked-packs.ts';
import type { CheckRun } from './invariants/check-run.ts';
import type { Problem } from './problems.ts';

/** A shard that was left over. */
interface LeftShard {
  readonly key: string;
  readonly bytes: number;
  readonly link: BackendLink;
  readonly name: ShardName;
  readonly pack: Uint8Array;
}

/** Takes what a listing has left, page by page, and tells what of it is leaked. */
export class LeakCheck {
  readonly #store: CheckedStore;
  readonly #run: CheckRun;
  #page: LeftShard[] = [];

  constructor(store: CheckedStore, run: CheckRun) {
    this.#store = store;
    this.#run = run;
  }

  async add(left: { readonly link: BackendLink; readonly key: string; readonly bytes: number }): Promise<void> {
    const name = parseShardKey(left.key);
    // What has another name is not Holdfast's.
    if (name === undefined) return;
    this.#page.push({ ...left, name, pack: name.pack.id });
    if (this.#page.length >= GC_SCAN_ROWS) await this.finish();
  }

  async finish(): Promise<void> {
    const page = this.#page;
    this.#page = [];
    if (page.length === 0) return;
    const { metadata } = this.#store;
    const { commit, flushed } = await metadata.head();
    const known = await metadata.knownPacks(page.map(({ pack }) => pack));
    for await (const shard of unknownShards(metadata, page, isOfNobody)) {
      const { lastCommit = 0 } = shard.name.pack.journal ?? {};
      if (lastCommit > commit) this.#run.skip('no-leaked-packs', 'the journal goes on after what the metadata knows');
      // No other pack is known to hold its records.
      if (lastCommit > flushed) continue;
      const what = 'no commit knows it, and no process at work has written it';
      this.#run.problemsOf('no-leaked-packs').add(leakProblem(shard, what));
    }
    const stray = new Map(page.flatMap((shard, at) => (known[at] ? [[shardName(shard), shard] as const] : [])));
    if (stray.size > 0) await this.#tellStray(stray);
  }

  /** A pack may have been registered after the packs were gone through. */
  async #tellStray(stray: Map<string, LeftShard>): Promise<void> {
    for await (const { id, places } of allPacks(this.#store.metadata)) {
      for (const [index, place] of (places ?? []).entries()) stray.delete(`${toHex(id)} ${index} ${place}`);
    }
    const problems = this.#run.problemsOf('no-stray-shards');
    for (const shard of stray.values()) problems.add(leakProblem(shard, 'its pack does not have it there'));
  }
}

function shardName({ pack, name, link }: LeftShard): string {
  return `${toHex(pack)} ${name.index} ${link.facts.number}`;
}

function leakProblem({ key, bytes, link, pack }: LeftShard, why: string): Problem {
  const message = `${key} on backend ${link.facts.name} takes ${bytes} bytes for nothing: ${why}`;
  return { code: 'LEAKED', message, packId: toHex(pack) };
}
