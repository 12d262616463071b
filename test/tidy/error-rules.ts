/** What the error codes are held to: raised by product code, proven by a test, explained for users. */

export interface Written {
  readonly path: string;
  readonly text: string;
}

/** Codes that no text holds as a string: `'CODE'`, or `'kind/CODE'`. A docstring that names one proves nothing. */
export function unmentioned(codes: readonly string[], texts: readonly Written[]): readonly string[] {
  const mentioned = new Set<string>();
  for (const { text } of texts) {
    for (const [code] of text.matchAll(/(?<=(['"])(?:[a-z-]+\/)?)[A-Z][A-Z_]+(?=\1)/g)) mentioned.add(code);
  }
  return codes.filter((code) => !mentioned.has(code));
}

/** Ways in which `docs/errors.md` (headings `### CODE` under `## kind`) and the table of codes differ. */
export function documentationGaps(codes: Readonly<Record<string, string>>, markdown: string): readonly string[] {
  const gaps: string[] = [];
  const documented = new Set<string>();
  let kind = '';
  for (const line of markdown.split('\n')) {
    kind = /^## ([a-z-]+)/.exec(line)?.[1] ?? kind;
    const code = /^### ([A-Z_]+)$/.exec(line)?.[1];
    if (code === undefined) continue;
    if (documented.has(code)) gaps.push(`${code} has two headings`);
    documented.add(code);
    if (!Object.hasOwn(codes, code)) gaps.push(`${code} has a heading but is no code`);
    else if (codes[code] !== kind) gaps.push(`${code} is ${codes[code]} and stands under ${kind}`);
  }
  for (const code of Object.keys(codes)) if (!documented.has(code)) gaps.push(`${code} has no heading`);
  return gaps;
}
