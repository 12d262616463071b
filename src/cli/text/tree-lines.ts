interface TreeRow {
  /** 0 for the top. */
  readonly depth: number;
  /** How many follow one level below. */
  readonly children: number;
}

/** Draws a tree line by line as its rows come, depth first: the counts of children tell which row is the last. */
export class TreeLines {
  /** By depth: how many children of the row there are still to come. */
  #left: number[] = [];

  next({ depth, children }: TreeRow, text: string): string {
    // Rows may have changed between two pages: then there are more than were told, and the line is a guess.
    const left = this.#left.slice(0, depth);
    while (left.length < depth) left.push(0);
    const branches = left.slice(0, -1).map((more) => (more > 0 ? '│  ' : '   '));
    const own = depth === 0 ? '' : (left[depth - 1] ?? 0) > 1 ? '├─ ' : '└─ ';
    if (depth > 0) left[depth - 1] = Math.max(0, (left[depth - 1] ?? 0) - 1);
    this.#left = [...left, children];
    return `${branches.join('')}${own}${text}`;
  }
}
