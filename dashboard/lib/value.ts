import { useEffect, useState } from 'preact/hooks';

/** Something that changes, and that parts of the page show. */
export interface Value<T> {
  get(): T;
  set(next: T): void;
  /** @returns what ends it */
  watch(listener: () => void): () => void;
}

export function createValue<T>(first: T): Value<T> {
  let current = first;
  const listeners = new Set<() => void>();
  return {
    get: () => current,
    set(next) {
      if (Object.is(next, current)) return;
      current = next;
      for (const listener of [...listeners]) listener();
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value as it is, shown anew when it changes. */
export function useValue<T>(value: Value<T>): T {
  const [, show] = useState({});
  useEffect(() => value.watch(() => show({})), [value]);
  return value.get();
}
