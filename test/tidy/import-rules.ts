import path from 'node:path';
import ts from 'typescript';
import { AREAS, MODULE_HOMES } from './layers.ts';
import { finding, isDashboard, isProduct, isTest, type Rule, type Source } from './source.ts';

interface Import {
  readonly node: ts.Node;
  readonly specifier: string;
  /** Names imported; empty for `import()`, `import *` and side effects. */
  readonly names: readonly string[];
  /** Erased before the code runs. */
  readonly typeOnly: boolean;
}

/** Static, dynamic and type imports, and re-exports, of a file. */
export function importsOf(source: Source): readonly Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const one = importOf(node);
    if (one) found.push(one);
    ts.forEachChild(node, visit);
  };
  visit(source.ast);
  return found;
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node)) {
    const bindings = node.importClause?.namedBindings;
    const elements = bindings && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
    const whole = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return described(node, node.moduleSpecifier, { elements, whole });
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    const elements = node.exportClause && ts.isNamedExports(node.exportClause) ? [...node.exportClause.elements] : [];
    return described(node, node.moduleSpecifier, { elements, whole: node.isTypeOnly });
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0]) {
    return described(node, node.arguments[0], { elements: [], whole: false });
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return described(node, node.argument.literal, { elements: [], whole: true });
  }
  return undefined;
}

function described(
  node: ts.Node,
  specifier: ts.Node,
  bound: { readonly elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[]; readonly whole: boolean },
): Import | undefined {
  if (!ts.isStringLiteralLike(specifier)) return undefined;
  const { elements, whole } = bound;
  const typeOnly = whole || (elements.length > 0 && elements.every((element) => element.isTypeOnly));
  return { node, specifier: specifier.text, names: elements.map((e) => (e.propertyName ?? e.name).text), typeOnly };
}

/** `src/hash/digest.ts` is in `hash`, `src/limits.ts` in `limits`. */
export function areaOf(filePath: string): string {
  const [, first = ''] = filePath.split('/');
  return first.replace(/\.ts$/, '');
}

function isAllowed(area: string, target: string, typeOnly: boolean): boolean {
  const rules = AREAS[area];
  if (rules === undefined) return false;
  const home = areaOf(target);
  if (home === area || rules.imports.includes(home) || rules.files?.includes(target)) return true;
  return typeOnly && (rules.types ?? []).some((allowed) => allowed === home || allowed === target);
}

/** Product code imports only along the arrows of the architecture. */
export const layers: Rule = (source) => {
  const isPage = isDashboard(source.path) && !isTest(source.path);
  if (!isProduct(source.path) && !isPage) return [];
  const area = isPage ? 'dashboard' : areaOf(source.path);
  if (AREAS[area] === undefined) return [finding(source, 0, `the folder ${area} is in no layer; add it to layers.ts`)];
  return importsOf(source).flatMap((one) => {
    if (!one.specifier.startsWith('.')) return [];
    const target = path.posix.join(path.posix.dirname(source.path), one.specifier);
    if (isPage && isDashboard(target)) return [];
    if (!target.startsWith('src/')) return [finding(source, one.node, `product code imports ${target}`)];
    if (/\.test\.ts$/.test(target)) return [finding(source, one.node, `product code imports the test ${target}`)];
    if (isAllowed(area, target, one.typeOnly)) return [];
    return [finding(source, one.node, `${area} may not import ${areaOf(target)} (${target})`)];
  });
};

/** Product code uses a package, and some built-ins, only where they have their home. */
export const modules: Rule = (source) => {
  if (!isProduct(source.path)) return [];
  const area = areaOf(source.path);
  return importsOf(source).flatMap((one) => {
    if (one.specifier.startsWith('.')) return [];
    const homes = MODULE_HOMES[one.specifier];
    if (homes === undefined && one.specifier.startsWith('node:')) return [];
    if (homes?.includes(area)) return [];
    const where = homes === undefined ? 'it is in no list' : `its home is ${homes.join(', ')}`;
    return [finding(source, one.node, `${area} may not import ${one.specifier}: ${where}`)];
  });
};

/** Files are imported by their full name, so that Node runs the sources as they are. */
export const importEndings: Rule = (source) =>
  importsOf(source)
    .filter((one) => one.specifier.startsWith('.') && !/\.(?:tsx?|mjs|js|json|css)$/.test(one.specifier))
    .map((one) => finding(source, one.node, `import of ${one.specifier} without its ending`));

const RANDOM = /^(?:random|getRandomValues|webcrypto|generateKey|generatePrime)/;

/** What the rules of `runtime-rules.ts` need: names of node:crypto that are random. */
export function randomImports(source: Source): readonly Import[] {
  return importsOf(source).filter(
    (one) => /^(?:node:)?crypto$/.test(one.specifier) && one.names.some((name) => RANDOM.test(name)),
  );
}
