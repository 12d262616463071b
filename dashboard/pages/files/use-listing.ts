import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { getJson, type Listing, listFolder } from '../../api/store.ts';
import { arrivals } from '../../api/uploads.ts';
import { useValue } from '../../lib/value.ts';

/** A folder, or what a search finds in it. */
export interface ListingPlace {
  readonly scope: string;
  readonly prefix: string;
  readonly search: string;
}

const PAGE_ROWS = 200;

function ask(
  { scope, prefix, search }: ListingPlace,
  after: string | undefined,
  signal: AbortSignal,
): Promise<Listing> {
  if (search === '') return listFolder({ prefix, after, limit: PAGE_ROWS }, { scope, signal });
  return getJson('/files', { scope, signal, query: { prefix, search, after, limit: PAGE_ROWS } });
}

interface State {
  readonly listing?: Listing;
  readonly error?: unknown;
  readonly isLoading: boolean;
}

function joined(before: Listing | undefined, page: Listing): Listing {
  return {
    entries: [...(before?.entries ?? []), ...page.entries],
    prefixes: [...(before?.prefixes ?? []), ...page.prefixes],
    ...(page.next !== undefined && { next: page.next }),
  };
}

/** A listing that grows by pages, and is read anew when files arrive. */
export function useListing(place: ListingPlace): State & { readonly more: () => void; readonly reload: () => void } {
  const { scope, prefix, search } = place;
  const [state, setState] = useState<State>({ isLoading: true });
  const shown = useRef<Listing>(undefined);
  const [round, setRound] = useState(0);
  const [after, setAfter] = useState<string>();
  const arrived = useValue(arrivals);
  useEffect(() => {
    setAfter(undefined);
    setState({ isLoading: true });
  }, [scope, prefix, search]);
  useEffect(() => setAfter(undefined), [arrived]);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const take = (page: Listing): void => {
      if (signal.aborted) return;
      const listing = joined(after === undefined ? undefined : shown.current, page);
      // A search ends its pages early when it had to look at a great many names.
      const goesOn = search !== '' && page.next !== undefined && listing.entries.length < PAGE_ROWS;
      shown.current = listing;
      setState({ listing, isLoading: goesOn });
      if (goesOn) setAfter(page.next);
    };
    ask(place, after, signal).then(
      take,
      (error: unknown) => signal.aborted || setState((before) => ({ ...before, error, isLoading: false })),
    );
    return () => controller.abort();
  }, [scope, prefix, search, after, arrived, round]);
  return {
    ...state,
    more: () => setAfter(state.listing?.next),
    reload: useCallback(() => setRound((count) => count + 1), []),
  };
}
