import ts from 'typescript';
import { TABLES } from './exemptions.ts';
import { finding, findingsOf, type Rule } from './source.ts';

export const FILE_LINES_MAX = 500;
export const FUNCTION_LINES_MAX = 70;

export function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

export const fileLength: Rule = (source) => {
  const lines = lineCount(source.text);
  if (lines <= FILE_LINES_MAX || TABLES.includes(source.path)) return [];
  return [finding(source, 0, `${lines} lines; at most ${FILE_LINES_MAX}`)];
};

export const functionLength: Rule = (source) =>
  findingsOf(source, (node) => {
    if (!isFunction(node) || isSuite(node)) return undefined;
    const first = source.ast.getLineAndCharacterOfPosition(node.getStart(source.ast)).line;
    const last = source.ast.getLineAndCharacterOfPosition(node.getEnd()).line;
    const lines = last - first + 1;
    return lines > FUNCTION_LINES_MAX ? `a function of ${lines} lines; at most ${FUNCTION_LINES_MAX}` : undefined;
  });

function isFunction(node: ts.Node): boolean {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isConstructorDeclaration(node) ||
    ts.isAccessor(node) ||
    ts.isClassStaticBlockDeclaration(node)
  );
}

/** The callback of a `describe` groups tests: it is a chapter, not a function. */
function isSuite(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && calleeNames(node.parent.expression).includes('describe');
}

/** `describe.each(rows)('title', …)` gives `describe`, `each`. */
function calleeNames(callee: ts.Expression): readonly string[] {
  if (ts.isIdentifier(callee)) return [callee.text];
  if (ts.isPropertyAccessExpression(callee)) return [...calleeNames(callee.expression), callee.name.text];
  return ts.isCallExpression(callee) ? calleeNames(callee.expression) : [];
}
