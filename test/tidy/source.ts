import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** A hand-written source file as the rules see it. */
export interface Source {
  /** Relative to the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
}

/** One habit of the code base: given a file, what breaks it, as `path:line: what is wrong`. */
export type Rule = (source: Source) => readonly string[];

export const ROOT = path.resolve(import.meta.dirname, '../..');

const FOLDERS = ['src', 'dashboard', 'test', 'bench', 'scripts'];
const HAND_WRITTEN = /(?<!\.generated)\.(?:tsx?|mjs)$/;

/** Parses a text as the file it would be at `path`: how fixtures are made. */
export function parseSource(filePath: string, text: string): Source {
  return { path: filePath, text, ast: ts.createSourceFile(filePath, text, ts.ScriptTarget.Latest, true) };
}

/** Every hand-written source file of the repository, in order of path. */
export function readSources(): readonly Source[] {
  return FOLDERS.flatMap((folder) => filesUnder(folder))
    .filter((file) => HAND_WRITTEN.test(file))
    .sort()
    .map((file) => parseSource(file, readFileSync(path.join(ROOT, file), 'utf8')));
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((item) => {
    const full = `${folder}/${item.name}`;
    return item.isDirectory() ? filesUnder(full) : [full];
  });
}

export function isTest(filePath: string): boolean {
  return filePath.startsWith('test/') || /\.test\.ts$/.test(filePath);
}

/** Product code: what is compiled into the package. */
export function isProduct(filePath: string): boolean {
  return filePath.startsWith('src/') && !isTest(filePath);
}

/** What runs in a browser: bundled, and put into the package as one page. */
export function isDashboard(filePath: string): boolean {
  return filePath.startsWith('dashboard/');
}

export function finding(source: Source, node: ts.Node | number, message: string): string {
  const position = typeof node === 'number' ? node : node.getStart(source.ast);
  return `${source.path}:${source.ast.getLineAndCharacterOfPosition(position).line + 1}: ${message}`;
}

/** Findings of `look` over every node of the file. */
export function findingsOf(source: Source, look: (node: ts.Node) => string | undefined): readonly string[] {
  const findings: string[] = [];
  const visit = (node: ts.Node): void => {
    const message = look(node);
    if (message !== undefined) findings.push(finding(source, node, message));
    ts.forEachChild(node, visit);
  };
  visit(source.ast);
  return findings;
}
