// `npm run demo`: puts real files into a sealed store twice, shows what that costs, reads everything back and compares it byte
// by byte with the files; then loses disks. Leaves the store in ./demo-store to play with. Uses nothing but the public library.
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { lstat, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createStore, generateKeyFile, openStore } from '../dist/index.js';
import { drill } from './demo-drill.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const DEFAULT_LOCATION = path.join(root, 'demo-store');

/** Names the entry by which a later run knows that this store is a demo, and may be thrown away. */
const MARK = 'README';
const MARK_TEXT = 'A demo of Holdfast made this store. `npm run demo` throws it away and makes it anew.\n';

const PROBLEMS_SHOWN = 10;

/** Where the key of a demo lies: beside its store, which is no place for the key of a real one. */
function keyFileOf(location) {
  return `${location}.key`;
}

/** Small files in flight share packs and commits. */
const IN_FLIGHT = 32;

const HELP = `Usage: npm run demo [-- [--store FOLDER] PATH...]

Puts files and folders into a store twice, shows savings and speed, reads everything back and compares it byte by byte; then
spreads some of them over five folders and loses those one after the other.
Without a PATH it takes what is here anyway: node_modules of this checkout, the Node binary in it included.
The store stays in FOLDER (./demo-store), the key that opens it beside it, in FOLDER.key. Both are made anew each time;
what is not the store of a demo is never removed.
`;

function say(text = '') {
  process.stdout.write(`${text}\n`);
}

function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`;
}

function line(name, value, note = '') {
  say(`   ${name.padEnd(12)} ${value.padStart(12)}  ${note}`.trimEnd());
}

/** Removes the store of an earlier demo; refuses anything else. */
async function removeOldStore(location) {
  const keyFile = keyFileOf(location);
  const hasKey = existsSync(keyFile);
  if (!existsSync(location)) {
    if (hasKey) throw new Error(`${keyFile} is a key without its store; move or remove it yourself`);
    return;
  }
  // Demos of older versions made plain stores.
  const isDemo = await openStore(location, { readOnly: true, ...(hasKey && { keys: { keyFile } }) }).then(
    async (store) => {
      await using old = store;
      return old.has(MARK);
    },
    () => false,
  );
  if (!isDemo) throw new Error(`${location} is not the store of a demo; move or remove it yourself`);
  await rm(location, { recursive: true });
  await rm(keyFile, { force: true });
}

/** Every regular file below a path. Links are left alone, so nothing is counted twice. */
async function* filesBelow(file) {
  const found = await lstat(file);
  if (found.isFile()) yield { path: file, size: found.size };
  if (!found.isDirectory()) return;
  for (const name of (await readdir(file)).sort()) yield* filesBelow(path.join(file, name));
}

/** What the setup has installed; tools keep caches in hidden folders beside it, which may change under our hands. */
async function installedPackages() {
  const folder = path.join(root, 'node_modules');
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  return names.map((name) => path.join(folder, name));
}

async function gather(paths) {
  const files = [];
  for (const typed of paths) {
    const full = path.resolve(typed);
    if (!(await stat(full).catch(() => undefined))) throw new Error(`${typed}: no such file or folder`);
    for await (const file of filesBelow(full)) {
      const name = path.relative(path.dirname(full), file.path).split(path.sep).join('/');
      files.push({ ...file, name });
    }
  }
  if (files.length === 0) throw new Error('there are no files in there');
  return files;
}

/** Runs `work` over items, so many at a time. */
async function inParallel(items, work) {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

async function timed(bytes, work) {
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  return { result, note: `in ${seconds.toFixed(1)} s, ${sizeOf(bytes / seconds)} a second` };
}

/** Puts every file below `prefix` and tells what was new. */
async function putAll(store, files, prefix) {
  const sums = { newBytes: 0, storedBytes: 0 };
  await inParallel(files, async (file) => {
    const { newBytes, storedBytes } = await store.put(`${prefix}/${file.name}`, { path: file.path });
    sums.newBytes += newBytes;
    sums.storedBytes += storedBytes;
  });
  return sums;
}

/** Whether a file holds exactly what an entry gives back. Both are streams: neither is ever whole in memory. */
async function isSame(store, key, file) {
  const disk = createReadStream(file.path);
  const next = disk[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  try {
    for await (const piece of store.read(key)) {
      let rest = piece;
      while (rest.length > 0) {
        if (held.length === 0) held = (await next.next()).value ?? Buffer.alloc(0);
        const length = Math.min(held.length, rest.length);
        if (length === 0 || held.compare(rest, 0, length, 0, length) !== 0) return false;
        held = held.subarray(length);
        rest = rest.subarray(length);
      }
    }
    return held.length === 0 && (await next.next()).done === true;
  } finally {
    disk.destroy();
    if (!disk.closed) await once(disk, 'close');
  }
}

async function compareAll(store, files, prefix) {
  const different = [];
  await inParallel(files, async (file) => {
    if (!(await isSame(store, `${prefix}/${file.name}`, file))) different.push(file.name);
  });
  return different;
}

async function run(store, files, location) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const count = files.length.toLocaleString('en-US');
  const shown = path.relative(process.cwd(), location) || '.';
  say(`Holdfast demo: ${count} files, ${sizeOf(bytes)}, sealed into ${shown}`);

  say('\n1. Put them all');
  const first = await timed(bytes, () => putAll(store, files, 'first'));
  line('read', sizeOf(bytes), first.note);
  line('new', sizeOf(first.result.newBytes), 'the rest was there already: equal pieces are kept once');
  line('stored', sizeOf(first.result.storedBytes), 'after compression');

  say('\n2. Put them all again, under other names');
  const second = await timed(bytes, () => putAll(store, files, 'second'));
  line('read', sizeOf(bytes), second.note);
  line('new', sizeOf(second.result.newBytes), 'every piece was recognised');

  say('\n3. Read everything back and compare with the files, byte by byte');
  const back = await timed(bytes, () => compareAll(store, files, 'second'));
  line('compared', sizeOf(bytes), back.note);
  line('different', String(back.result.length), back.result.slice(0, 3).join(', '));

  say('\n4. Prove that the store is sound');
  const report = await store.maintenance.check();
  line('check', report.outcome, `${report.chunks.toLocaleString('en-US')} chunks in ${report.packs} packs`);

  for (const { code, message } of report.problems.slice(0, PROBLEMS_SHOWN)) line('', code, message);

  const stats = await store.stats();
  say('\nAltogether');
  line('content', sizeOf(stats.logicalBytes), `${stats.entries.toLocaleString('en-US')} entries`);
  line('on disk', sizeOf(stats.storedBytes), `${(stats.logicalBytes / stats.storedBytes).toFixed(1)} times less`);
  line('saved', `${stats.savingsPercent.toFixed(1)} %`, 'by deduplication alone');
  return back.result.length === 0 && report.outcome === 'ok';
}

function sayWhatNext(files, location) {
  const example = files.find(({ name }) => name.endsWith('README.md')) ?? files[0];
  const shown = path.relative(process.cwd(), location) || '.';
  const store = `npx holdfast -s ${quoted(shown)} --key-file ${quoted(keyFileOf(shown))}`;
  const key = quoted(`second/${example.name}`);
  say('\nThe store is yours to play with:');
  say(`   ${store} ls --long --limit 20`);
  say(`   ${store} ls --sort size --reverse --limit 10 --long`);
  say(`   ${store} stat ${key}`);
  say(`   ${store} get ${key} -o ${quoted(path.basename(example.name))}.copy`);
  say(`   ${store} stats`);
  say(`   ${store} check`);
  say(`   ${store} key list`);
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, store: { type: 'string', default: DEFAULT_LOCATION } },
  });
  if (values.help) return process.stdout.write(HELP);
  const location = path.resolve(values.store);
  const files = await gather(positionals.length > 0 ? positionals : await installedPackages());
  await removeOldStore(location);
  {
    await generateKeyFile(keyFileOf(location));
    await using store = await createStore(location, { keys: { keyFile: keyFileOf(location) } });
    await store.put(MARK, MARK_TEXT, { contentType: 'text/plain' });
    const isSound =
      (await run(store, files, location)) && (await drill(location, files, { say, line, sizeOf, putAll, compareAll }));
    if (!isSound) throw new Error('something above is not as it must be: please report this');
  }
  sayWhatNext(files, location);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = 1;
}
