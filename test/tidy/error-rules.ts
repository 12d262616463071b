import ts from 'typescript';
import { findingsOf, type Source } from './source.ts';

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

/** Sections of `docs/errors.md` that do not name a detail which product code fills in, or do not end as they should. */
export function detailGaps(product: readonly Source[], markdown: string): readonly string[] {
  const sections = [...markdown.matchAll(/^### ([A-Z_]+)\n([^#]*)/gm)].map(([, code = '', text = '']) => ({
    code,
    text,
  }));
  const carried = product.flatMap((source) => detailsIn(source));
  return sections.flatMap(({ code, text }) => {
    const listed = /^Details: (.*)/m.exec(text)?.[1] ?? '';
    const fields = new Set(carried.filter((one) => one.code === code).map(({ field }) => field));
    const gaps = [...fields]
      .filter((field) => !listed.includes(`\`${field}\``))
      .map((field) => `${code} does not list ${field}`);
    return /^Next: /m.test(text) ? gaps : [...gaps, `${code} does not say what to do next`];
  });
}

/** Fields of details that are written out where the error is made; those from helpers escape. */
function detailsIn(source: Source): readonly { readonly code: string; readonly field: string }[] {
  const found: { code: string; field: string }[] = [];
  findingsOf(source, (node) => {
    if (!ts.isCallExpression(node) || node.expression.getText() !== 'storeError') return undefined;
    const [code, , options] = node.arguments;
    if (!code || !ts.isStringLiteral(code) || !options || !ts.isObjectLiteralExpression(options)) return undefined;
    for (const property of options.properties) {
      if (!ts.isPropertyAssignment(property) || property.name.getText() !== 'details') continue;
      found.push(...fieldsIn(property.initializer).map((field) => ({ code: code.text, field })));
    }
    return undefined;
  });
  return found;
}

/** Names set in an object literal, those of literals spread into it included. */
function fieldsIn(node: ts.Node): readonly string[] {
  const fields: string[] = [];
  const visit = (one: ts.Node): void => {
    if (ts.isPropertyAssignment(one) || ts.isShorthandPropertyAssignment(one)) fields.push(one.name.getText());
    else ts.forEachChild(one, visit);
  };
  visit(node);
  return fields;
}
