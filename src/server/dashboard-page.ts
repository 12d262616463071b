/** The dashboard: one page with everything in it, made by `scripts/build-dashboard.mjs`. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { storeError } from '../errors/store-error.ts';

/** Where the build leaves it, seen from the sources and from what is made of them. */
const BUILT = new URL('../../dist/dashboard/', import.meta.url);

/** The page as it is sent, and what a browser may do with it. */
interface Page {
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

function hashOf(html: string, element: 'script' | 'style'): string {
  const [, text] = new RegExp(`<${element}[^>]*>([^]*?)</${element}>`).exec(html) ?? [];
  return `'sha256-${createHash('sha256')
    .update(text ?? '')
    .digest('base64')}'`;
}

/**
 * Nothing runs but the script of this page, named by its digest: not what is stored, which comes from the same place. Pictures
 * and PDF are shown from memory (`blob:`), as what they are and never as a page.
 */
function policyOf(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(html, 'script')}`,
    `style-src ${hashOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data: blob:',
    'frame-src blob:',
    'object-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

async function load(): Promise<Page> {
  const [plain, gzip] = await Promise.all(
    ['index.html', 'index.html.gz'].map((name) => readFile(fileURLToPath(new URL(name, BUILT)))),
  ).catch((cause: unknown) => {
    // Somebody runs the sources and has built nothing.
    throw storeError('ROUTE_NOT_FOUND', 'the dashboard has not been built', { cause });
  });
  const html = Buffer.from(plain!).toString();
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policyOf(html),
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-cache',
    vary: 'accept-encoding',
    etag: `"${createHash('sha256').update(plain!).digest('hex').slice(0, 32)}"`,
  };
  return { plain: new Uint8Array(plain!), gzip: new Uint8Array(gzip!), headers };
}

const takesGzip = (headers: Headers): boolean =>
  /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(headers.get('accept-encoding') ?? '');

/** Answers with the page, which is read once. */
export class DashboardPage {
  #page: Promise<Page> | undefined;

  /**
   * @returns `undefined` for what is no request for the page; from `/`, browsers are led there
   * @throws `not-found/ROUTE_NOT_FOUND` where it was not built
   */
  async answer(request: Request): Promise<Response | undefined> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const { pathname } = new URL(request.url);
    if (pathname === '/' && request.headers.get('accept')?.includes('text/html'))
      return new Response(null, { status: 302, headers: { location: 'dashboard' } });
    if (pathname !== '/dashboard') return undefined;
    return answerWith(await this.#read(), request);
  }

  #read(): Promise<Page> {
    this.#page ??= load().catch((error: unknown) => {
      this.#page = undefined;
      throw error;
    });
    return this.#page;
  }
}

function answerWith({ plain, gzip, headers }: Page, { method, headers: asked }: Request): Response {
  if (asked.get('if-none-match') === headers.etag) return new Response(null, { status: 304, headers });
  const isPacked = takesGzip(asked);
  const sent = isPacked ? { ...headers, 'content-encoding': 'gzip' } : headers;
  return new Response(method === 'HEAD' ? null : isPacked ? gzip : plain, { headers: sent });
}
