import { storeError } from '../../errors/store-error.ts';

/** Where on an object store a backend lies, and how to reach it. */
export interface S3Place {
  readonly bucket: string;
  /** Before every backend key, with a slash after it; empty for a bucket of the backend's own. */
  readonly prefix: string;
  /** Scheme, host and port; `undefined` for that of AWS in the region. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** As the object store calls it, `STANDARD_IA` for example; `undefined` for the bucket's default. */
  readonly storageClass: string | undefined;
  /** The bucket stands in the path, not in the name of the host. */
  readonly pathStyle: boolean;
}

const SETTINGS: ReadonlySet<string> = new Set(['endpoint', 'region', 'storageClass', 'pathStyle']);
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i;
/** What no object store has to have encoded. */
const PREFIX = /^[\w.!*'()-]+(?:\/[\w.!*'()-]+)*$/;
const NAME = /^[\w-]{1,63}$/;

/**
 * Reads `s3://bucket/prefix?endpoint=…&region=…&storageClass=…&pathStyle=true|false`. Credentials never stand in it: a
 * store keeps the URL in its config, for everybody who may read that.
 * @throws `invalid/BACKEND_INVALID`
 */
export function parseS3Url(text: string): S3Place {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 's3:') throw invalid(text, 'it is no s3://bucket/prefix');
  if (url.username !== '' || url.password !== '')
    throw invalid(text, 'credentials are taken from the environment or the AWS profile');
  const { searchParams: settings, hostname: bucket } = url;
  for (const name of settings.keys()) if (!SETTINGS.has(name)) throw invalid(text, `it has no setting ${name}`);
  if (url.port !== '' || !BUCKET.test(bucket)) throw invalid(text, `${bucket || 'nothing'} is no name of a bucket`);
  const prefix = url.pathname.replace(/^\/|\/$/g, '');
  if (prefix !== '' && !PREFIX.test(prefix)) throw invalid(text, 'its prefix has characters that need encoding');
  const endpoint = endpointIn(text, settings.get('endpoint'));
  const pathStyle = settings.get('pathStyle') ?? String(endpoint !== undefined);
  if (pathStyle !== 'true' && pathStyle !== 'false') throw invalid(text, 'pathStyle is true or false');
  return {
    bucket,
    prefix: prefix && `${prefix}/`,
    endpoint,
    region: nameIn(text, 'region', settings),
    storageClass: nameIn(text, 'storageClass', settings),
    pathStyle: pathStyle === 'true',
  };
}

/** The URL of a place, the same for the same place: the form in which a config keeps it. */
export function formatS3Url({ bucket, prefix, endpoint, region, storageClass, pathStyle }: S3Place): string {
  const settings = { endpoint, region, storageClass, ...(pathStyle !== (endpoint !== undefined) && { pathStyle }) };
  const query = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    // A slash and a colon stand for themselves in a query (RFC 3986, section 3.4), and read better.
    .map(
      ([name, value]) => `${name}=${encodeURIComponent(String(value)).replaceAll('%3A', ':').replaceAll('%2F', '/')}`,
    );
  return `s3://${bucket}${prefix && `/${prefix.slice(0, -1)}`}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

function endpointIn(text: string, given: string | null): string | undefined {
  if (given === null) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isPlain = url !== undefined && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (!isPlain || !/^https?:$/.test(url.protocol)) throw invalid(text, 'its endpoint is no http: or https: address');
  return url.href.replace(/\/$/, '');
}

function nameIn(text: string, setting: string, settings: URLSearchParams): string | undefined {
  const given = settings.get(setting);
  if (given === null) return undefined;
  if (!NAME.test(given)) throw invalid(text, `${setting} is a name`);
  return given;
}

/** Shows what a place is known by, never what may be a secret. */
function invalid(text: string, why: string): Error {
  const path = text.replace(/\?.*$/s, '').replace(/\/\/[^/]*@/, '//');
  return storeError('BACKEND_INVALID', `${path} is no backend on an object store: ${why}`, { details: { path } });
}
