/** How far a campaign is, so that one that was ended goes on where it was. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

export class CampaignState {
  readonly #file: string;
  readonly #seed: number;
  readonly #next: Map<string, number>;

  private constructor(file: string, seed: number, next: Map<string, number>) {
    this.#file = file;
    this.#seed = seed;
    this.#next = next;
  }

  /** @param again begin from the first case, whatever was run before */
  static async open(
    file: string,
    { seed, again }: { readonly seed: number; readonly again: boolean },
  ): Promise<CampaignState> {
    const text = again ? undefined : await readFile(file, 'utf8').catch(() => undefined);
    const known = text === undefined ? undefined : (JSON.parse(text) as { seed: number; next: Record<string, number> });
    return new CampaignState(file, seed, new Map(known?.seed === seed ? Object.entries(known.next) : []));
  }

  /** Number of the first case of a target that was not run. */
  nextOf(target: string): number {
    return this.#next.get(target) ?? 0;
  }

  async save(target: string, next: number): Promise<void> {
    this.#next.set(target, next);
    await mkdir(path.dirname(this.#file), { recursive: true });
    const temporary = `${this.#file}.tmp`;
    await writeFile(
      temporary,
      `${JSON.stringify({ seed: this.#seed, next: Object.fromEntries(this.#next) }, null, 2)}\n`,
    );
    await rename(temporary, this.#file);
  }
}
