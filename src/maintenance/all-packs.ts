import type { PackClass } from '../format/index.ts';
import type { Metadata, PackRow } from '../metadata/contract.ts';

const PAGE_PACKS = 1000;

/** A pack as the metadata has it now; `undefined` when it does not count on it any more: a merge may have dropped it. */
export async function packNumbered(metadata: Metadata, number: number): Promise<PackRow | undefined> {
  const [row] = await metadata.listPacks({ after: number - 1, limit: 1 });
  return row?.number === number ? row : undefined;
}

/** All live packs in order of number, page by page; those that come meanwhile are met too. */
export async function* allPacks(metadata: Metadata, packClass?: PackClass): AsyncGenerator<PackRow> {
  for (let after: number | undefined; ; ) {
    const page = await metadata.listPacks({
      limit: PAGE_PACKS,
      ...(packClass && { class: packClass }),
      ...(after !== undefined && { after }),
    });
    yield* page;
    after = page.at(-1)?.number;
    if (after === undefined) return;
  }
}
