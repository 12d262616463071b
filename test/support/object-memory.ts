import {
  type FileChild,
  type FolderChild,
  type Loaded,
  type LoadObjects,
  objectId,
  type StructuredObject,
  type TreeChild,
} from '../../src/objects/index.ts';

/** Objects in memory, with a record of what was loaded and put. */
export class ObjectMemory {
  readonly objects = new Map<string, Loaded>();
  loads: string[] = [];
  puts: string[] = [];

  readonly put = async (object: StructuredObject): Promise<string> => {
    const id = objectId(object);
    this.objects.set(id, object);
    this.puts.push(id);
    return id;
  };

  readonly load: LoadObjects = async (references) => {
    this.loads.push(...references.map(({ id }) => id));
    return references.map(({ id }) => this.objects.get(id));
  };
}

/** An id that no object has: the number in hex. */
export function fakeId(number: number): string {
  return number.toString(16).padStart(64, '0');
}

export const TIME = '2026-11-21T20:00:00.123456789Z';

export function file(name: string, number = 1, more: Partial<FileChild> = {}): FileChild {
  return { type: 'file', name, id: fakeId(number), size: number, mode: 0o644, mtime: TIME, ...more };
}

export function folder(name: string, id: string, more: Partial<FolderChild> = {}): FolderChild {
  return { type: 'folder', name, id, mode: 0o755, mtime: TIME, ...more };
}

/** In the order of the bytes of their names. */
export function sorted(children: readonly TreeChild[]): readonly TreeChild[] {
  return [...children].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of items) found.push(one);
  return found;
}
