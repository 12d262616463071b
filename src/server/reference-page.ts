/** The reference as a page: made of the OpenAPI document, without scripts, and of nothing from elsewhere. */
import { createHash } from 'node:crypto';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: { readonly description?: string };
  }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

/** What the page shows of a document. */
export interface ReferenceDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: object;
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
h2{font:600 1rem ui-monospace,monospace;border-top:1px solid;padding-top:1rem;margin-top:2rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem 1rem .2rem 0}
code{font-family:ui-monospace,monospace}`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[one] ?? one);

const row = (...cells: readonly string[]): string => `<tr>${cells.map((one) => `<td>${one}</td>`).join('')}</tr>`;

function describeOperation(method: string, path: string, operation: Operation): string {
  const { summary = '', description = '', security = [], parameters = [], responses } = operation;
  const verb = security[0]?.token?.[0];
  const fields = parameters.map((one) =>
    row(
      `<code>${escaped(one.name)}</code>`,
      `${one.in}${one.required ? ', required' : ''}`,
      escaped(one.description ?? one.schema?.description ?? ''),
    ),
  );
  const answers = Object.entries(responses).map(([status, answer]) => row(status, '', escaped(answer.description)));
  return `<h2>${method.toUpperCase()} ${escaped(path)}</h2><p><strong>${escaped(summary)}.</strong> ${escaped(description)}
${verb ? `Needs a token that may <code>${verb}</code>.` : 'For everybody.'}</p><table>${[...fields, ...answers].join('')}</table>`;
}

/** The page as an answer. */
export function referenceAnswer({ info, paths = {} }: ReferenceDocument): Response {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, one]) => describeOperation(method, path, one)),
  );
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(info.title)}</title><style>${STYLE}</style></head><body><main><h1>${escaped(info.title)} ${escaped(info.version)}</h1>
<p>${escaped(info.description ?? '')} As a document: <a href="/openapi.json">/openapi.json</a>.</p>${operations.join('\n')}</main></body></html>\n`;
  return new Response(page, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'`,
    },
  });
}
