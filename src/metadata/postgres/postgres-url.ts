import { storeError } from '../../errors/store-error.ts';

/** A schema of a PostgreSQL database, which has the metadata of one store. */
export interface PostgresPlace {
  /** For the client, without what is ours. It may hold a password: not for messages. */
  readonly url: string;
  readonly schema: string;
}

const SCHEME = /^postgres(?:ql)?:/i;
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;
const DEFAULT_SCHEMA = 'holdfast';
/** The server cuts longer names. */
export const NAME_LENGTH_MAX = 63;

/** Whether a text says that metadata are in PostgreSQL. */
export function isPostgresUrl(text: string): boolean {
  return SCHEME.test(text);
}

/**
 * Reads `postgres://user@host:port/database?schema=…`, with whatever else the client knows, such as `sslmode`.
 * @throws `invalid/LOCATION_INVALID`; its message shows neither user nor password
 */
export function parsePostgresUrl(text: string): PostgresPlace {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isPostgresUrl(text) || url.pathname.length < 2)
    throw invalid('metadata in PostgreSQL are at postgres://user@host:port/database?schema=name');
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA;
  if (!SCHEMA.test(schema)) throw invalid('the schema of metadata is a name of lower-case letters, digits and _');
  url.searchParams.delete('schema');
  return { url: url.href, schema };
}

/** The URL of the schema beside another one that is called after it. */
export function besideSchema(text: string, name: string): string {
  const { url, schema } = parsePostgresUrl(text);
  const beside = new URL(url);
  const ending = `_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`;
  beside.searchParams.set('schema', schema.slice(0, NAME_LENGTH_MAX - ending.length) + ending);
  return beside.href;
}

/** What a place is called in messages. */
export function describePlace({ url, schema }: PostgresPlace): string {
  const { host, pathname } = new URL(url);
  return `schema ${schema} of ${host}${pathname}`;
}

function invalid(message: string): Error {
  return storeError('LOCATION_INVALID', message);
}
