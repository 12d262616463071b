import ts from 'typescript';
import { findingsOf, type Rule } from './source.ts';

/** Files whose tool asks for a default export. */
const CONFIGS = /^[^/]*\.config\.(?:ts|mjs)$/;
/** AssemblyScript has decorators of its own. */
const KERNELS = /\.as\.ts$/;

export const noDefaultExport: Rule = (source) =>
  CONFIGS.test(source.path)
    ? []
    : findingsOf(source, (node) => (isDefaultExport(node) ? 'a default export' : undefined));

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
  return modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword) ?? false;
}

/** `export *` hides what a module offers. */
export const noStarExport: Rule = (source) =>
  findingsOf(source, (node) => {
    if (!ts.isExportDeclaration(node)) return undefined;
    return node.exportClause === undefined || ts.isNamespaceExport(node.exportClause) ? 'export *' : undefined;
  });

/** Everything is erasable syntax: Node runs the sources by cutting the types out. */
export const noRuntimeTypes: Rule = (source) => {
  if (KERNELS.test(source.path)) return [];
  return findingsOf(source, (node) => {
    if (ts.isEnumDeclaration(node)) return 'an enum';
    if (ts.isDecorator(node)) return 'a decorator';
    if (ts.isModuleDeclaration(node) && !isAmbient(node)) return 'a namespace';
    if (ts.isParameterPropertyDeclaration(node, node.parent)) return 'a parameter property';
    return undefined;
  });
};

function isAmbient(node: ts.ModuleDeclaration): boolean {
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword) ?? false;
}

const RUNNERS = ['describe', 'it', 'test', 'suite', 'bench'];

/** A focused test switches all others off. */
export const noFocusedTest: Rule = (source) =>
  findingsOf(source, (node) => {
    if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'only') return undefined;
    return RUNNERS.includes(rootName(node.expression)) ? 'a focused test' : undefined;
  });

function rootName(expression: ts.Expression): string {
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isPropertyAccessExpression(expression) ? rootName(expression.expression) : '';
}
