/** Names of files and of the folders that their slashes make. */

export function nameOf(key: string): string {
  return key.slice(key.replace(/\/$/, '').lastIndexOf('/') + 1);
}

/** `a/b/` gives `a/` and `a/b/`. */
export function foldersTo(prefix: string): readonly string[] {
  return [...prefix.matchAll(/\//g)].map(({ index }) => prefix.slice(0, index + 1));
}

/** How a file can be shown, by its media type and its name; never as a page. */
export type PreviewKind = 'text' | 'picture' | 'pdf' | 'none';

const TEXTS =
  /\.(?:txt|md|csv|tsv|json|xml|ya?ml|toml|ini|conf|log|html?|css|[cm]?[jt]sx?|py|rb|rs|go|java|c|h|cpp|sh|sql|tex|svg|srt)$/i;
const TEXT_TYPES = /^(?:text\/|application\/(?:json|xml|yaml|javascript|x-sh|sql)\b|.*\+(?:json|xml)\b)/i;
const PICTURES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  ico: 'image/x-icon',
  svg: 'image/svg+xml',
};

/** @returns how, and as which type: of the few that are known to do nothing */
export function previewOf(key: string, contentType = ''): { readonly kind: PreviewKind; readonly type: string } {
  const ending = /\.([^./]+)$/.exec(key)?.[1]?.toLowerCase() ?? '';
  const [said = ''] = contentType.toLowerCase().split(';');
  const picture = Object.values(PICTURES).includes(said) ? said : PICTURES[ending];
  if (picture !== undefined) return { kind: 'picture', type: picture };
  if (said === 'application/pdf' || ending === 'pdf') return { kind: 'pdf', type: 'application/pdf' };
  return { kind: TEXT_TYPES.test(said) || TEXTS.test(key) ? 'text' : 'none', type: 'text/plain' };
}
