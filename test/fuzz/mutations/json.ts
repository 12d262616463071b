/** Changes of JSON that keep it JSON: values of other types and at bounds, names lost, twice or foreign, deep nesting. */
import { utf8Encode } from '../../../src/bytes/bytes.ts';
import type { SeededRandom } from '../../../src/testing/seeded-random.ts';
import { type JsonNode, nodesOf, parseTree, treeBytes } from './json-tree.ts';
import { type Mutation, pick, smallCount } from './mutation.ts';
import { inputText, TEXT_MUTATIONS, textInput } from './text.ts';

const SPELLINGS = [
  ...['null', 'true', 'false', '0', '-0', '1', '2', '-1', '0.5', '1e0', '1.0', '1e400', '-1e400', '1e-400', '5e-324'],
  ...['255', '256', '65536', '4294967295', '4294967296', '9007199254740991', '9007199254740992', '9007199254740993'],
  ...['1e308', '123456789012345678901234567890', '{}', '[]', '""', '[[]]', '{"":0}'],
];
const TEXTS = [
  '',
  ' ',
  '0',
  'none',
  '__proto__',
  'a'.repeat(300),
  '\u0000',
  '\ud800',
  'é',
  '=',
  '====',
  '../x',
  'blake3:',
  '0'.repeat(64),
];
const NAMES = [
  '',
  'type',
  'version',
  'content',
  'metadata',
  'id',
  '__proto__',
  'constructor',
  'toString',
  '0',
  '1',
  '\ud800',
  'ключ',
];

function spelling(random: SeededRandom): JsonNode {
  return { kind: 'spelling', spelling: pick(random, SPELLINGS) };
}

/** Another text in the place of one: by a mutation of texts, or of what hex and base64 spell. */
function changeText(text: string, random: SeededRandom): string {
  if (random.integer(4) === 0) return pick(random, TEXTS);
  const at = random.integer(text.length + 1);
  const digit = pick(random, [...'0123456789abcdefABCDEF+/=-_ gZ']);
  switch (random.integer(5)) {
    case 0:
      return text.slice(0, at) + digit + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + pick(random, [1, 2, 4]));
    case 2:
      return text + pick(random, ['00', 'AAAA', '=', '\n', ' ']);
    default:
      return inputText(pick(random, TEXT_MUTATIONS)(textInput(text), random, [textInput(text)]));
  }
}

function changeMembers(node: Extract<JsonNode, { kind: 'object' }>, random: SeededRandom, other: () => JsonNode): void {
  const { members } = node;
  const at = random.integer(Math.max(1, members.length));
  const member = members[at];
  switch (random.integer(5)) {
    case 0:
      members.splice(at, 1);
      return;
    case 1:
      members.splice(random.integer(members.length + 1), 0, [pick(random, NAMES), spelling(random)]);
      return;
    case 2:
      // A name that is there already, with the same or another value.
      if (member)
        members.splice(random.integer(members.length + 1), 0, [
          member[0],
          random.integer(2) === 0 ? member[1] : spelling(random),
        ]);
      return;
    case 3:
      if (member)
        members[at] = [random.integer(2) === 0 ? pick(random, NAMES) : changeText(member[0], random), member[1]];
      return;
    default:
      if (member) members[at] = [member[0], random.integer(2) === 0 ? spelling(random) : other()];
  }
}

function changeItems(node: Extract<JsonNode, { kind: 'list' }>, random: SeededRandom, other: () => JsonNode): void {
  const { items } = node;
  const at = random.integer(Math.max(1, items.length));
  const item = items[at] ?? spelling(random);
  switch (random.integer(5)) {
    case 0:
      items.splice(at, 1);
      return;
    case 1:
      items.push(...Array.from({ length: smallCount(random, 128) }, () => item));
      return;
    case 2:
      items.splice(at, 1, random.integer(2) === 0 ? spelling(random) : other());
      return;
    case 3:
      items.reverse();
      return;
    default:
      items.splice(random.integer(items.length + 1), 0, ...items.splice(at, 1));
  }
}

const changeNode: Mutation = (input, random, others) => {
  const root = parseTree(input);
  if (root === undefined) return pick(random, TEXT_MUTATIONS)(input, random, others);
  // From another sample, or as a copy: what is put inside itself would never end.
  const other = (): JsonNode => {
    const source = random.integer(2) === 0 ? parseTree(pick(random, others)) : undefined;
    return source ? pick(random, nodesOf(source)) : structuredClone(pick(random, nodesOf(root)));
  };
  const node = pick(random, nodesOf(root));
  if (node.kind === 'text') node.text = changeText(node.text, random);
  else if (node.kind === 'spelling')
    node.spelling = pick(random, [...SPELLINGS, `${node.spelling}0`, `-${node.spelling}`]);
  else if (node.kind === 'object') changeMembers(node, random, other);
  else changeItems(node, random, other);
  return treeBytes(root, input);
};

/** A value inside arrays or objects, a few or many of them. */
const nest: Mutation = (input, random) => {
  const depth = pick(random, random.integer(16) === 0 ? [2000, 50_000] : [1, 2, 8, 255, 256, 257]);
  const [open, close] = pick(random, [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  const root = parseTree(input);
  if (root === undefined) return input;
  const node = pick(random, nodesOf(root));
  const core = node.kind === 'spelling' ? node.spelling : '0';
  const spelt = open.repeat(depth) + core + close.repeat(random.integer(8) === 0 ? depth - 1 : depth);
  if (node.kind === 'object') node.members = [[node.members[0]?.[0] ?? 'a', { kind: 'spelling', spelling: spelt }]];
  else if (node.kind === 'list') node.items = [{ kind: 'spelling', spelling: spelt }];
  else return utf8Encode(spelt);
  return treeBytes(root, input);
};

/** The same value in another spelling: white space, escapes, a byte order mark. */
const respell: Mutation = (input, random) => {
  const text = inputText(input);
  const at = random.integer(text.length + 1);
  const character = text[at] ?? '';
  const escaped = /[\w]/.test(character)
    ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    : `${character} `;
  const bom = random.integer(8) === 0 ? '\ufeff' : '';
  return textInput(bom + text.slice(0, at) + escaped + text.slice(at + 1));
};

export const JSON_MUTATIONS: readonly Mutation[] = [
  ...[changeNode, changeNode, changeNode, changeNode, changeNode, changeNode],
  ...[nest, respell, ...TEXT_MUTATIONS.slice(0, 4)],
];
