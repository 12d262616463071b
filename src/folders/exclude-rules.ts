import ignore, { type Ignore } from 'ignore';
import { EXCLUDE_MATCHES_KEPT } from '../limits.ts';

/** What a list of rules says of a path: leave it out, keep it, or nothing. */
type Verdict = 'exclude' | 'keep' | undefined;

/** Rules that were written in one place, for paths below it. */
class RuleList {
  readonly #rules: Ignore;
  #current: Ignore;
  #asked = 0;
  /** Characters to cut off a path from the root to have it from the place of the rules. */
  readonly #baseLength: number;

  constructor(texts: readonly string[], baseLength: number) {
    // Not the library's default: names that differ in case are different files here.
    this.#rules = ignore({ ignorecase: false });
    for (const text of texts) this.#rules.add(text);
    this.#current = ignore({ ignorecase: false }).add(this.#rules);
    this.#baseLength = baseLength;
  }

  verdict(path: string): Verdict {
    // The library remembers every path it was asked about; a fresh one shares the compiled rules.
    this.#asked += 1;
    if (this.#asked % EXCLUDE_MATCHES_KEPT === 0) this.#current = ignore({ ignorecase: false }).add(this.#rules);
    const { ignored, unignored } = this.#current.test(path.slice(this.#baseLength));
    return ignored ? 'exclude' : unignored ? 'keep' : undefined;
  }
}

/** The rules that hold in one folder: those given with the call before those found in folders, deeper ones first. */
export class ExcludeRules {
  /** The most important last. */
  readonly #lists: readonly RuleList[];

  private constructor(lists: readonly RuleList[]) {
    this.#lists = lists;
  }

  /** @param patterns lines of gitignore rules, relative to the root */
  static of(patterns: readonly string[]): ExcludeRules {
    return new ExcludeRules(patterns.length === 0 ? [] : [new RuleList(patterns, 0)]);
  }

  get empty(): boolean {
    return this.#lists.length === 0;
  }

  /**
   * The rules below a folder that has rules of its own.
   * @param texts contents of its files of rules; later ones win
   * @param folder path of the folder from the root, empty for the root
   * @param given whether `this` begins with rules of the call, which win over every file
   */
  within(texts: readonly string[], folder: string, given: boolean): ExcludeRules {
    const own = new RuleList(texts, folder === '' ? 0 : folder.length + 1);
    const last = this.#lists.at(-1);
    if (given && last) return new ExcludeRules([...this.#lists.slice(0, -1), own, last]);
    return new ExcludeRules([...this.#lists, own]);
  }

  /**
   * Whether a path is left out, and the rules that hold below it.
   * @param path from the root, `/`-separated, without a slash at the end
   */
  decide(path: string, folder: boolean): { readonly excluded: boolean; readonly below: ExcludeRules } {
    const asked = folder ? `${path}/` : path;
    for (let index = this.#lists.length - 1; index >= 0; index -= 1) {
      const verdict = this.#lists[index]?.verdict(asked);
      if (verdict === 'exclude') return { excluded: true, below: this };
      if (verdict === 'keep') return { excluded: false, below: folder ? this.#overruled(asked, index) : this };
    }
    return { excluded: false, below: this };
  }

  /**
   * A list excludes all below what it excludes. Where a more important one kept a folder, the lists that would have
   * excluded it have no more say below: rather too much is stored than what somebody asked to keep is left out.
   */
  #overruled(asked: string, by: number): ExcludeRules {
    const lists = this.#lists.filter((list, index) => index >= by || list.verdict(asked) !== 'exclude');
    return lists.length === this.#lists.length ? this : new ExcludeRules(lists);
  }
}
