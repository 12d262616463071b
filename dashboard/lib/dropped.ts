/** What somebody drops on the page: files, and folders with all that is in them. */

export interface DroppedFile {
  /** From the folder that was dropped. */
  readonly path: string;
  readonly file: File;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A reader gives a part each time, and nothing at the end. */
async function childrenOf(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

async function* filesIn(entry: FileSystemEntry): AsyncGenerator<DroppedFile> {
  if (entry.isFile) {
    yield { path: entry.fullPath.replace(/^\//, ''), file: await fileOf(entry as FileSystemFileEntry) };
    return;
  }
  for (const child of await childrenOf(entry as FileSystemDirectoryEntry)) yield* filesIn(child);
}

export async function droppedFiles(transfer: DataTransfer): Promise<readonly DroppedFile[]> {
  // Asked for at once: what was dropped is forgotten when the event is over.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: DroppedFile[] = [];
  for (const entry of entries) for await (const one of filesIn(entry)) found.push(one);
  return found;
}

export function chosenFiles(list: FileList | null): readonly DroppedFile[] {
  return [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}
