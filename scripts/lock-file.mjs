// What must hold for package-lock.json so that `npm ci` gives everybody the same tree from any registry.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const EXACT = /^\d+\.\d+\.\d+$/;
/** What the root of the lock file repeats of package.json. */
const MIRRORED = [
  'name',
  'version',
  'license',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'engines',
  'bin',
];

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** @returns in words what is wrong; empty when all is well */
export function lockProblems(root) {
  const manifest = readJson(path.join(root, 'package.json'));
  const text = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  return [
    ...mirrorProblems(manifest, JSON.parse(text)),
    ...treeProblems(manifest, JSON.parse(text)),
    ...hostProblems(text),
  ];
}

function mirrorProblems(manifest, lock) {
  return MIRRORED.filter((field) => JSON.stringify(manifest[field]) !== JSON.stringify(lock.packages[''][field])).map(
    (field) => `"${field}" differs between package.json and package-lock.json: run npm install`,
  );
}

function treeProblems(manifest, lock) {
  const problems = [];
  for (const [name, wanted] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    if (!EXACT.test(wanted)) problems.push(`${name} is asked for as "${wanted}"; versions are exact`);
    const locked = lock.packages[`node_modules/${name}`]?.version;
    if (locked !== wanted) problems.push(`${name} ${wanted} is locked as ${locked ?? 'nothing'}`);
  }
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place !== '' && !entry.integrity && !entry.inBundle) problems.push(`${place} has no integrity`);
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!isLocked(lock, place, name))
        problems.push(`${place}: its optional ${name} is in no lock entry, so npm ci fails`);
    }
  }
  return problems;
}

/** Whether a package that stands at `place` finds `name` in its own or an outer node_modules. */
function isLocked(lock, place, name) {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (lock.packages[candidate]) return true;
    if (folder === '') return false;
  }
}

/** A `resolved` address binds everybody to the registry of whoever wrote the lock file. */
function hostProblems(text) {
  return [...text.matchAll(/"resolved":\s*"([^"]*)"/g)].map(([, address]) => `the lock file names ${address}`);
}
