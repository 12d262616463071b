import type { Problem } from '../../index.ts';
import { countOf, escapeControls, formatCount } from './format-text.ts';

const PROBLEMS_SHOWN_MAX = 30;

function problemLine(problem: Problem): string {
  const { code, message, namespace, key, object } = problem;
  const about = [
    ...(namespace === undefined ? [] : [`namespace ${JSON.stringify(namespace)}`]),
    ...(key === undefined ? [] : [JSON.stringify(key)]),
    ...(object === undefined || message.includes(object) ? [] : [`object ${object}`]),
  ];
  return `  ${code}: ${escapeControls(message)}${about.length > 0 ? ` (${about.join(', ')})` : ''}`;
}

/** What a report found, for people: up to as many as a screen holds; --json has all that are listed. */
export function problemLines(problems: readonly Problem[], count: number): string[] {
  if (count === 0) return [];
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX);
  const rest = count - shown.length;
  return [
    `${countOf(count, 'problem', 'problems')}:`,
    ...shown.map(problemLine),
    ...(rest > 0 ? [`  and ${formatCount(rest)} more: --json lists the first thousand`] : []),
  ];
}
