type Library = typeof import('../index.ts');

/**
 * Loads the library, when a command needs it and not before, so that help and completion start at once. The one place
 * that does: the compiler leaves the ending of an `import()` as it is inside functions that use `using`.
 */
export function loadLibrary(): Promise<Library> {
  return import('../index.ts');
}

/** Loads the server, for the commands that are about it. */
export function loadServer(): Promise<typeof import('../server/index.ts')> {
  return import('../server/index.ts');
}
