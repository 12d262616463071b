import { usageError } from '../usage-error.ts';

/** Decides about a name (components joined by `/`) and whether it is a folder. */
export type Matcher = (name: string, isFolder: boolean) => boolean;

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function expressionOf(pattern: string, use: string): string {
  let expression = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    if (character === '\\' && at + 1 < pattern.length) {
      at += 1;
      expression += literal(pattern[at] as string);
    } else if (pattern.startsWith('**/', at)) {
      expression += '(?:[^/]+/)*';
      at += 2;
    } else if (pattern.startsWith('**', at)) {
      expression += '.*';
      at += 1;
    } else if (character === '*') expression += '[^/]*';
    else if (character === '?') expression += '[^/]';
    else if (character === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) throw usageError(`${use} ${pattern}: "[" without "]"`);
      const inner = pattern
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replace(/[\\[]/g, '\\$&');
      expression += `(?!/)[${inner}]`;
      at = end;
    } else expression += literal(character);
  }
  return expression;
}

/**
 * Compiles a pattern with the meaning it has in .gitignore: `*` and `?` stop at `/`, `**` does not, `[a-z]`
 * and `[!a-z]` match one character, `\` takes the next character as it is. Without a `/` inside, the pattern matches a
 * name in any folder; with one, the whole name. A `/` at the end means folders only.
 * @param use what the pattern was given for, as messages call it
 */
export function compileGlob(pattern: string, use = '--exclude'): Matcher {
  const foldersOnly = pattern.endsWith('/');
  const body = pattern.replace(/\/$/, '');
  const anchored = body.includes('/');
  const source = expressionOf(body.replace(/^\//, ''), use);
  let expression: RegExp;
  try {
    expression = new RegExp(`^${anchored ? '' : '(?:.*/)?'}${source}$`, 'su');
  } catch {
    throw usageError(`${use} ${pattern}: this is no pattern`);
  }
  return (name, isFolder) => (isFolder || !foldersOnly) && expression.test(name);
}
