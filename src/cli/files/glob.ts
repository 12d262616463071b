import { usageError } from '../usage-error.ts';

/** Decides about a name (components joined by `/`) and whether it is a folder. */
export type Matcher = (name: string, isFolder: boolean) => boolean;

/** What one part of a pattern takes of a name. */
type Step =
  /** One character. */
  | { readonly kind: 'one'; readonly takes: (character: string) => boolean }
  /** Any number of characters. */
  | { readonly kind: 'many'; readonly takes: (character: string) => boolean }
  /** Any number of whole folders, each with its `/`. */
  | { readonly kind: 'folders' };

const notSlash = (character: string): boolean => character !== '/';

function isOneOf(inside: string): (character: string) => boolean {
  const inner = inside.replace(/^!/, '^').replace(/[\\[]/g, '\\$&');
  const expression = new RegExp(`^[${inner}]$`, 'su');
  return (character) => notSlash(character) && expression.test(character);
}

function stepsOf(pattern: string, use: string): readonly Step[] {
  const characters = [...pattern];
  const steps: Step[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const [character, next] = [characters[at], characters[at + 1]];
    if (character === '*' && next === '*') {
      const isFolders = characters[at + 2] === '/';
      steps.push(isFolders ? { kind: 'folders' } : { kind: 'many', takes: () => true });
      at += isFolders ? 2 : 1;
    } else if (character === '*') steps.push({ kind: 'many', takes: notSlash });
    else if (character === '?') steps.push({ kind: 'one', takes: notSlash });
    else if (character === '[') {
      const end = characters.indexOf(']', at + 2);
      if (end < 0) throw usageError(`${use} ${pattern}: "[" without "]"`);
      steps.push({ kind: 'one', takes: isOneOf(characters.slice(at + 1, end).join('')) });
      at = end;
    } else {
      const isEscaped = character === '\\' && next !== undefined;
      if (isEscaped) at += 1;
      const literal = isEscaped ? next : character;
      steps.push({ kind: 'one', takes: (one) => one === literal });
    }
  }
  return steps;
}

/**
 * Where in the steps a name can be, all of them at once: the work is the length of the pattern times that of the name,
 * whatever the pattern. An expression that goes back and tries again can take longer than anybody lives.
 */
class Places {
  readonly #steps: readonly Step[];
  /** Before step i; the last place is the end. */
  #at: Uint8Array;
  /** Of a step `folders`: within the name of a folder. */
  #within: Uint8Array;
  /** The arrays of the character before this one. */
  #spare: readonly [at: Uint8Array, within: Uint8Array];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    const empty = (): [Uint8Array, Uint8Array] => [new Uint8Array(steps.length + 1), new Uint8Array(steps.length)];
    [this.#at, this.#within] = empty();
    this.#spare = empty();
    this.begin();
  }

  get isAtEnd(): boolean {
    return this.#at[this.#steps.length] === 1;
  }

  /** The name may begin to match here. */
  begin(): void {
    this.#at[0] = 1;
    this.#passOver();
  }

  take(character: string): void {
    const [at, within] = this.#spare;
    at.fill(0);
    within.fill(0);
    for (const [index, step] of this.#steps.entries()) {
      if (this.#within[index]) (notSlash(character) ? within : at)[index] = 1;
      if (!this.#at[index]) continue;
      if (step.kind === 'folders') within[index] = notSlash(character) ? 1 : (within[index] ?? 0);
      else if (step.takes(character)) at[step.kind === 'one' ? index + 1 : index] = 1;
    }
    this.#spare = [this.#at, this.#within];
    this.#at = at;
    this.#within = within;
    this.#passOver();
  }

  /** What takes any number takes none. */
  #passOver(): void {
    for (const [index, { kind }] of this.#steps.entries()) {
      if (kind !== 'one' && this.#at[index]) this.#at[index + 1] = 1;
    }
  }
}

function matches(steps: readonly Step[], name: string, anchored: boolean): boolean {
  const places = new Places(steps);
  for (const character of name) {
    places.take(character);
    if (!anchored && character === '/') places.begin();
  }
  return places.isAtEnd;
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
  let steps: readonly Step[];
  try {
    steps = stepsOf(body.replace(/^\//, ''), use);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw usageError(`${use} ${pattern}: this is no pattern`);
  }
  return (name, isFolder) => (isFolder || !foldersOnly) && matches(steps, name, anchored);
}
