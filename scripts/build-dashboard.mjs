// Builds the dashboard: scripts and styles bundled by Vite and put into one page, so that its policy can name the digests of
// both and nothing else ever runs there. Writes dist/dashboard/index.html, and the same compressed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

/** What the page may weigh, compressed. */
const GZIP_BYTES_MAX = 100_000;

async function bundle(root) {
  const { build } = await import('vite');
  const result = await build({
    root: path.join(root, 'dashboard'),
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: Number.MAX_SAFE_INTEGER,
      rolldownOptions: { input: path.join(root, 'dashboard/main.tsx'), output: { codeSplitting: false } },
    },
  });
  const { output } = Array.isArray(result) ? result[0] : result;
  const scripts = output.filter(({ type }) => type === 'chunk');
  const styles = output.filter(({ fileName }) => fileName.endsWith('.css'));
  if (scripts.length !== 1 || styles.length !== 1 || output.length !== 2)
    throw new Error(`the dashboard must be one script and one style: ${output.map(({ fileName }) => fileName)}`);
  return { script: scripts[0].code.trim(), style: String(styles[0].source).trim() };
}

/**
 * Writes the page.
 * @param {string} root folder of the repository
 */
export async function buildDashboard(root) {
  const { script, style } = await bundle(root);
  if (/<\/script/i.test(script) || /<\/style/i.test(style)) throw new Error('the dashboard would end its own element');
  const html = readFileSync(path.join(root, 'dashboard/page.html'), 'utf8')
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script type="module"></script>', () => `<script type="module">${script}</script>`);
  const gzip = gzipSync(html, { level: 9 });
  if (gzip.length > GZIP_BYTES_MAX) throw new Error(`the dashboard has ${gzip.length} bytes, compressed`);
  const folder = path.join(root, 'dist/dashboard');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'index.html'), html);
  writeFileSync(path.join(folder, 'index.html.gz'), gzip);
}
