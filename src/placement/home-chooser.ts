import type { BackendLink } from './backend-link.ts';
import type { BackendSet } from './backend-set.ts';
import { chooseHomes } from './choose-homes.ts';
import { lossesOf, type StripeInspection } from './inspect-stripe.ts';
import type { Patience } from './patience.ts';
import type { ShardLoss } from './shard-loss.ts';

/** Finds backends for the lost shards of a stripe, one by one; never one that nothing new should go to. */
export class HomeChooser {
  readonly #backends: BackendSet;
  readonly #inspection: StripeInspection;
  readonly #patience: Patience;
  readonly #taken: BackendLink[];
  readonly #failed = new Set<BackendLink>();

  constructor(backends: BackendSet, inspection: StripeInspection, patience: Patience) {
    this.#backends = backends;
    this.#inspection = inspection;
    this.#patience = patience;
    // A shard that cannot be reached may come back: its backend counts as holding it.
    const away = lossesOf(inspection, 'unreachable').flatMap(({ place }) => backends.find(place) ?? []);
    this.#taken = [...inspection.good.map(({ link }) => link), ...away];
  }

  /** A backend holds one more of the shards. */
  take(link: BackendLink): void {
    this.#taken.push(link);
  }

  /** A backend would not have a shard: it is not chosen again. */
  giveUp(link: BackendLink): void {
    this.#failed.add(link);
    const at = this.#taken.lastIndexOf(link);
    if (at >= 0) this.#taken.splice(at, 1);
  }

  /**
   * Where a shard should be put: on the backend that it was on; else on one where something else has its name, so that
   * it does not stay; else on any.
   * @returns `undefined` when it has to wait for another backend
   */
  choose(loss: ShardLoss, impostors: readonly BackendLink[]): BackendLink | undefined {
    const own = this.#backends.find(loss.place);
    const link =
      (own && this.#isOpen(own) && !own.isAvoided ? own : undefined) ??
      this.#chooseFrom(loss.index, impostors) ??
      this.#chooseFrom(loss.index, this.#backends.links);
    if (link) this.#taken.push(link);
    return link;
  }

  /** Those that failed lately only when there is nobody else. */
  #chooseFrom(index: number, some: readonly BackendLink[]): BackendLink | undefined {
    const open = some.filter((link) => this.#isOpen(link));
    const eager = open.filter((link) => !link.isAvoided);
    for (const links of [eager, open]) {
      const { stripe } = this.#inspection;
      const wanted = { packId: stripe.id, shards: stripe.places.length, indexes: [index], links, taken: this.#taken };
      const [home] = chooseHomes(this.#backends, wanted);
      if (home) return home.link;
    }
    return undefined;
  }

  #isOpen(link: BackendLink): boolean {
    return link.takesShards && !this.#failed.has(link) && !this.#patience.isOut(link);
  }
}
