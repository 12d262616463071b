import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** A project folder of somebody who uses Holdfast, somewhere else on the disk. */
export interface ConsumerFolder {
  readonly path: string;
  /** Writes a file, making its folders, and gives its full path. */
  write(name: string, text: string): Promise<string>;
  /** Gives it a dependency that lies elsewhere; by default a package that this checkout has installed. */
  link(name: string, target?: string): Promise<void>;
  remove(): Promise<void>;
}

export async function createConsumerFolder(): Promise<ConsumerFolder> {
  const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'holdfast-consumer-')));
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  await write('package.json', '{ "private": true, "type": "module" }\n');
  return {
    path: folder,
    write,
    link: async (name, target = path.join(ROOT, 'node_modules', name)) => {
      const place = path.join(folder, 'node_modules', name);
      await mkdir(path.dirname(place), { recursive: true });
      await symlink(target, place, 'junction');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
