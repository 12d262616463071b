import ts from 'typescript';
import { randomImports } from './import-rules.ts';
import { finding, findingsOf, isProduct, type Rule } from './source.ts';

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'];

/** Members of globals that read a clock, draw randomness or start a timer. */
const MEMBERS: Readonly<Record<string, RegExp>> = {
  Date: /^now$/,
  Math: /^random$/,
  performance: /./,
  process: /^hrtime$/,
  AbortSignal: /^timeout$/,
  crypto: /^(?:random|getRandomValues)/,
  globalThis: /^(?:Date|performance|crypto|setTimeout|setInterval|setImmediate)$/,
};

/**
 * Only src/runtime reads clocks, draws randomness and starts timers; everything else is given them, so that a test
 * decides what time it is. `new Date(milliseconds)` only formats and is fine everywhere.
 */
export const runtimeOnly: Rule = (source) => {
  if (!isProduct(source.path) || source.path.startsWith('src/runtime/')) return [];
  const random = randomImports(source).map((one) => finding(source, one.node, 'randomness outside src/runtime'));
  return [...random, ...findingsOf(source, ambient)];
};

function ambient(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && named(node.expression, 'Date') && !node.arguments?.length) {
    return 'new Date() reads the clock outside src/runtime';
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    const callee = node.expression.text;
    if (callee === 'Date') return 'Date() reads the clock outside src/runtime';
    if (TIMERS.includes(callee)) return `${callee} outside src/runtime`;
  }
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const owner = node.expression.text;
    if (Object.hasOwn(MEMBERS, owner) && MEMBERS[owner]?.test(node.name.text)) {
      return `${owner}.${node.name.text} outside src/runtime`;
    }
  }
  return undefined;
}

function named(expression: ts.Expression, name: string): boolean {
  return ts.isIdentifier(expression) && expression.text === name;
}
