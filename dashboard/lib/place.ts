import { createValue, useValue } from './value.ts';

/** Where in the dashboard somebody is: a page, and what of it. Stands behind the `#`, so that links and the back button work. */
export interface Place {
  readonly page: string;
  readonly query: Readonly<Record<string, string>>;
}

function read(): Place {
  const [page = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { page: page || 'overview', query: Object.fromEntries(new URLSearchParams(query)) };
}

const place = createValue<Place>(read());
addEventListener('hashchange', () => place.set(read()));

export function usePlace(): Place {
  return useValue(place);
}

/** The address of a place, for links. */
export function linkTo(page: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const said = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const text = new URLSearchParams(said).toString();
  return `#/${page}${text ? `?${text}` : ''}`;
}

export function goTo(page: string, query?: Readonly<Record<string, string | undefined>>): void {
  location.hash = linkTo(page, query);
}
