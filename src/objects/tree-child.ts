import { CONTENT_TYPE_BYTES_MAX, ENTRY_KEY_BYTES_MAX, TREE_CHILD_BYTES_MAX, TREE_PATH_BYTES_MAX } from '../limits.ts';
import { spellCopied } from './canonical-json.ts';
import { copyJson, isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { objectInvalid, type Place } from './object-error.ts';
import { isTime } from './object-time.ts';
import {
  anything,
  type Check,
  checkShape,
  isId,
  isInteger,
  isText,
  isTextWithin,
  isTrue,
  type Shape,
  shape,
} from './shape.ts';
import { bytesOfText, byteTextProblem, componentProblem, pathProblem } from './tree-name.ts';
import type { TreeChild } from './types.ts';

/** Setuid, setgid and sticky, and nine bits of permissions. */
export const isMode = isInteger(0, 0o7777);
const isSize = isInteger(0);
const isKey = isTextWithin(1, ENTRY_KEY_BYTES_MAX);

const isAttributes: Check = (value) =>
  isJsonObject(value) && Object.entries(value).every(([name, one]) => name !== '' && typeof one === 'string')
    ? undefined
    : 'must hold a text under every name';

const NAME = { type: anything, name: isText };
const BYTES = { nameBytes: isText };
const REFERENCE = shape({ ...NAME, id: isId });

const SHAPES: ReadonlyMap<JsonValue | undefined, Shape> = new Map(
  Object.entries({
    file: shape(
      { ...NAME, id: isId, size: isSize, mode: isMode, mtime: isTime },
      { ...BYTES, sameAs: isText, sameAsBytes: isText, sparse: isTrue },
    ),
    folder: shape({ ...NAME, id: isId, mode: isMode, mtime: isTime }, BYTES),
    link: shape({ ...NAME, target: isText, mtime: isTime }, { ...BYTES, targetBytes: isText }),
    entry: shape(
      { ...NAME, id: isId, size: isSize, version: isId, modified: isTime },
      {
        contentType: isTextWithin(0, CONTENT_TYPE_BYTES_MAX),
        attributes: isAttributes,
        parent: isKey,
        parentVersion: isId,
      },
    ),
    raw: REFERENCE,
    blob: REFERENCE,
    bundle: REFERENCE,
    tree: REFERENCE,
    snapshot: REFERENCE,
  }),
);

/**
 * Checks one child of a tree, which is plain JSON already.
 * @returns the bytes of its name
 * @throws `invalid/OBJECT_INVALID` naming the place
 */
export function checkChild(value: JsonValue | undefined, place: Place): Uint8Array {
  if (!isJsonObject(value)) throw objectInvalid(place, 'must be a JSON object');
  const known = SHAPES.get(value.type);
  if (known === undefined) throw objectInvalid({ within: place, step: 'type' }, 'must be the type of a child');
  const child = checkShape(value, known, place) as unknown as TreeChild & JsonObject;
  if (child.type === 'file' && (child.sameAs !== undefined || child.sameAsBytes !== undefined)) {
    checkByteText(child, 'sameAs', { place, problemOf: pathProblem });
  }
  if (child.type === 'link') checkByteText(child, 'target', { place, problemOf: targetProblem });
  return checkByteText(child, 'name', { place, problemOf: child.type === 'entry' ? keyProblem : componentProblem });
}

/** One child, checked. */
export interface ParsedChild {
  readonly child: TreeChild;
  readonly name: Uint8Array;
  readonly text: string;
  readonly bytes: number;
}

/**
 * A child on its own, as it is handed in.
 * @returns a frozen copy, with the bytes of its name, its canonical spelling and the bytes that has
 * @throws `invalid/OBJECT_INVALID`
 */
export function parseChild(value: unknown, what: string): ParsedChild {
  const copy = copyJson(value, what);
  const name = checkChild(copy, { step: what });
  const text = spellCopied(copy);
  const bytes = Buffer.byteLength(text);
  if (bytes > TREE_CHILD_BYTES_MAX) throw objectInvalid(what, `has more than ${TREE_CHILD_BYTES_MAX} bytes`);
  return { child: copy as unknown as TreeChild, name, text, bytes };
}

/** Checks a text and the bytes that may stand beside it, under the same name with `Bytes` behind. @returns the bytes */
export function checkByteText(
  object: JsonObject,
  field: string,
  { place, problemOf }: { readonly place: Place; readonly problemOf: (bytes: Uint8Array) => string | undefined },
): Uint8Array {
  const text = object[field];
  if (typeof text !== 'string') throw objectInvalid({ within: place, step: field }, 'is missing');
  const base64 = object[`${field}Bytes`];
  if (base64 !== undefined) {
    const problem = byteTextProblem(text, base64);
    if (problem !== undefined) throw objectInvalid({ within: place, step: `${field}Bytes` }, problem);
  }
  const bytes = bytesOfText(text, base64 as string | undefined);
  const problem = problemOf(bytes);
  if (problem !== undefined) throw objectInvalid({ within: place, step: field }, problem);
  return bytes;
}

function keyProblem(key: Uint8Array): string | undefined {
  return key.length >= 1 && key.length <= ENTRY_KEY_BYTES_MAX
    ? undefined
    : `must have 1 to ${ENTRY_KEY_BYTES_MAX} bytes`;
}

function targetProblem(target: Uint8Array): string | undefined {
  if (target.length === 0 || target.length > TREE_PATH_BYTES_MAX) return `must have 1 to ${TREE_PATH_BYTES_MAX} bytes`;
  return target.includes(0) ? 'holds a zero byte' : undefined;
}
