import path from 'node:path';
import ts from 'typescript';
import { CITED_NAMES, NEVER_WORDS } from './exemptions.ts';
import { finding, findingsOf, isDashboard, isProduct, type Rule } from './source.ts';

const FILE_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*\.(?:tsx?|mjs)$/;

export const fileName: Rule = (source) =>
  FILE_NAME.test(path.posix.basename(source.path)) ? [] : [finding(source, 0, 'a file name that is not kebab-case')];

const UNFINISHED = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`, 'g');

/** What is not done is an issue, not a comment. */
export const noUnfinished: Rule = (source) =>
  [...source.text.matchAll(UNFINISHED)].map((match) => finding(source, match.index, `${match[0]} in a source file`));

/** Product code declares no name that says a thing of ours in another system's word. */
export const neverWords: Rule = (source) => {
  if (!isProduct(source.path) && !isDashboard(source.path)) return [];
  const inPath = wordsOf(source.path).flatMap((word) => {
    const message = complaint(word);
    return message === undefined ? [] : [finding(source, 0, `the path says ${message}`)];
  });
  return [...inPath, ...findingsOf(source, declaredNever)];
};

function declaredNever(node: ts.Node): string | undefined {
  const name = declaredName(node);
  if (name !== undefined && Object.hasOwn(CITED_NAMES, name)) return undefined;
  const message =
    name &&
    wordsOf(name)
      .map(complaint)
      .find((one) => one !== undefined);
  return message ? `the name ${name} says ${message}` : undefined;
}

function declaredName(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node)) return undefined;
  const declares =
    (node.parent as { readonly name?: ts.Node }).name === node && !ts.isPropertyAccessExpression(node.parent);
  return declares ? node.text : undefined;
}

function complaint(word: string): string | undefined {
  const better = Object.hasOwn(NEVER_WORDS, word) ? NEVER_WORDS[word] : undefined;
  return better === undefined ? undefined : `"${word}"; the glossary says ${better}`;
}

/** `packIdMax`, `PACK_ID_MAX` and `pack-id-max.ts` are pack, id, max. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}
