// Bundles the library, the command line and their threads into dist/: hundreds of small modules take longer to be found and
// compiled than most commands take to run. Every entry keeps its place, what entries share lies in dist/chunks/, and what the
// package depends on stays outside.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';

/** Beside what the package exports: the command, what it runs, and what is started as a thread. */
const FURTHER_ENTRIES = [
  'cli/main',
  'cli/run',
  'metadata/sqlite-worker',
  'pipeline/content-worker',
  'runtime/small-file-worker',
  'single-file/file-worker',
];

/** The entries of a package, as paths below src/ and dist/ without their endings. */
function entriesOf({ exports }) {
  const exported = Object.values(exports).flatMap(
    (target) => /^\.\/dist\/(.+)\.js$/.exec(target.default ?? '')?.[1] ?? [],
  );
  return [...exported, ...FURTHER_ENTRIES];
}

function fromFolderOf(fileName, target) {
  return path.posix.relative(path.posix.dirname(fileName), target);
}

/**
 * Modules that look for files beside themselves find them where the modules would lie in dist/, in whatever bundle they are.
 * @param {string} sources folder of them
 */
function keepPlaces(sources) {
  const placeOf = (id) => path.relative(sources, id).split(path.sep).join('/').replace(/\.ts$/, '.js');
  return {
    name: 'keep-places',
    transform: (code, id) =>
      code.includes('import.meta.')
        ? code.replace(/\bimport\.meta\.(url|dirname)\b/g, (_, what) => `__place("${what}", "${placeOf(id)}")`)
        : null,
    renderChunk: (code, { fileName }) =>
      code.replace(/__place\("(url|dirname)", "([^"]+)"\)/g, (_, what, place) =>
        what === 'url'
          ? `new URL('${fromFolderOf(fileName, place)}', import.meta.url).href`
          : `(import.meta.dirname + '/${fromFolderOf(fileName, path.posix.dirname(place))}')`,
      ),
  };
}

/**
 * Writes dist/, beside the types.
 * @param {string} root folder of the repository
 */
export async function buildLibrary(root) {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const sources = path.join(root, 'src');
  const dependencies = Object.keys(manifest.dependencies);
  const bundle = await rolldown({
    input: Object.fromEntries(entriesOf(manifest).map((entry) => [entry, path.join(sources, `${entry}.ts`)])),
    platform: 'node',
    external: (id) => id.startsWith('node:') || dependencies.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [keepPlaces(sources)],
    // What cannot be found would otherwise be taken for somebody else's.
    onLog(level, log) {
      throw new Error(`${level}: ${log.message}`);
    },
  });
  await bundle.write({
    dir: path.join(root, 'dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await bundle.close();
}
