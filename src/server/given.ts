/** What is said, without what is not: an option that is absent and one that is `undefined` are two things to the library. */
export function given<T extends object>(options: T): { [name in keyof T]?: Exclude<T[name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
