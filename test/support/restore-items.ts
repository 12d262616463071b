/** Items for restores, made of little more than their names. */
import type { RestoreItem, RestoreReport } from '../../src/folders/index.ts';
import { factsOf } from './folders.ts';

export const MTIME = '2020-01-02T03:04:05.000000000Z';

export function components(name: string): Buffer[] {
  return name === '' ? [] : name.split('/').map((one) => Buffer.from(one));
}

export function file(name: string, content = name, more: Partial<RestoreItem> = {}): RestoreItem {
  const bytes = Buffer.from(content);
  const facts = { path: components(name), mode: 0o640, mtime: MTIME, size: bytes.length };
  return { type: 'file', ...facts, content: () => [bytes], ...more };
}

export function dir(name: string, more: Partial<RestoreItem> = {}): RestoreItem {
  return { type: 'folder', path: components(name), mode: 0o750, mtime: MTIME, ...more };
}

export function link(name: string, to: string): RestoreItem {
  return { type: 'link', path: components(name), mode: 0o777, mtime: MTIME, target: Buffer.from(to) };
}

export function codes(report: RestoreReport): string[] {
  return report.failures.map(({ path: at, error }) => `${at} ${error.kind}/${error.code}`);
}

/** All names below a target, and nothing that was left behind on the way. */
export function namesIn(target: string): string[] {
  return [...factsOf(target).keys()].filter((name) => name !== '').sort();
}
