/**
 * Mutation testing by Stryker: every operator, condition and literal of a part of the sources is changed, one at a time, and
 * the tests of that part must fail.
 *
 * What that takes is 160 packages which nothing else needs, so they are no dependency of the project: `package.json` and
 * `package-lock.json` beside this file are installed in a copy of the project, inside which Vitest is the project's own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../../support/consumer-folder.ts';

/** A part of the sources, and the tests that hold it. Globs from the root of the project. */
interface Part {
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
}

const PARTS: Readonly<Record<string, Part>> = {
  merkle: { mutate: ['src/merkle/**/*.ts'], tests: ['src/merkle/**/*.test.ts', 'test/vectors/merkle.test.ts'] },
  erasure: { mutate: ['src/erasure/**/*.ts'], tests: ['src/erasure/**/*.test.ts'] },
  format: {
    mutate: ['src/format/**/*.ts', '!src/format/pack-*.ts'],
    tests: ['src/format/!(pack-*|sealed-pack).test.ts'],
  },
  pack: { mutate: ['src/format/pack-*.ts'], tests: ['src/format/{pack-*,sealed-pack,any-bytes}.test.ts'] },
  commit: {
    mutate: ['src/metadata/commit.ts', 'src/metadata/replay.ts', 'src/metadata/entry-changes.ts'],
    // Those of requests, operations and records: what lists, checks and counts takes long and sees none of it.
    tests: [
      'src/metadata/{known-items,namespace-drop,record-size,sealed-metadata}.test.ts',
      'test/compliance/metadata/{collecting,entries,histories,journal,large-packs,merging,namespaces}.test.ts',
      'test/compliance/metadata/{objects,packs,refs,relations,replay}.test.ts',
    ],
  },
};

/** Of any part: no mutants of tests, nor of what is generated or compiled to WebAssembly. */
const NEVER = ['!src/**/*.test.ts', '!src/**/*.generated.ts', '!src/**/*.as.ts'];

/** What tests need of the project beside its packages. */
const COPIED = ['src', 'test', 'package.json', 'tsconfig.json'];
/** Fewer killed is a failure. */
const KILLED_PERCENT_MIN = 80;

/** Mutants of a part by what became of them. */
interface Figures {
  readonly killed: number;
  readonly survived: number;
  /** Those of them that change a text: words of messages, nearly all. */
  readonly texts: number;
  /** Killed, of all that the tests could have killed. */
  readonly percent: number;
}

/** A mutant in a report of Stryker. */
interface Mutant {
  readonly status: string;
  /** What was changed: `StringLiteral` is a text. */
  readonly mutatorName: string;
  /** The tests that reach it. */
  readonly coveredBy?: readonly string[];
  readonly testsCompleted?: number;
}

export interface MutantsOptions {
  /** Default: every part. */
  readonly part?: string | undefined;
  /** The one file of the part that is changed, from the root of the project. Default: all. */
  readonly file?: string | undefined;
  /** Where the copy of the project is made. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** @throws when less than 80 % of the mutants of a part are killed */
export async function runMutants({ part, file, folder, say }: MutantsOptions): Promise<void> {
  const names = Object.keys(PARTS).filter((name) => part === undefined || name === part);
  if (names.length === 0) throw new Error(`there is no part ${part}; there are ${Object.keys(PARTS).join(', ')}`);
  if (file !== undefined && names.length > 1) throw new Error('a file is one of a part: name that too');
  const copy = path.join(folder, 'mutants');
  await makeCopy(copy);
  const poor: string[] = [];
  for (const name of names) {
    const { killed, survived, texts, percent } = await runPart(name, copy, file);
    const of = `${killed} killed, ${survived} survived (${texts} of them texts): ${percent.toFixed(1)} %`;
    say(`${name.padEnd(10)} ${of}; report in ${reportOf(name, copy)}`);
    if (percent < KILLED_PERCENT_MIN) poor.push(name);
  }
  if (poor.length > 0) throw new Error(`less than ${KILLED_PERCENT_MIN} % killed: ${poor.join(', ')}`);
}

/** The project, with the packages of Stryker in a folder below it: what they do not have they find in the project. */
async function makeCopy(copy: string): Promise<void> {
  await rm(copy, { recursive: true, force: true });
  const tool = path.join(copy, 'tool');
  await mkdir(tool, { recursive: true });
  for (const name of COPIED) await cp(path.join(ROOT, name), path.join(copy, name), { recursive: true });
  await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  for (const name of ['package.json', 'package-lock.json'])
    await cp(path.join(import.meta.dirname, name), path.join(tool, name));
  // Without peers: the Vitest of the project runs the tests.
  await run('npm', ['ci', '--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund'], tool);
}

async function runPart(name: string, copy: string, file: string | undefined): Promise<Figures> {
  const { mutate, tests } = PARTS[name] as Part;
  const vitest = {
    test: {
      include: tests,
      setupFiles: ['test/support/setup.ts'],
      testTimeout: 60_000,
      // A mutant is not there in threads that tests start.
      env: { HOLDFAST_TEST_ONE_THREAD: 'yes' },
    },
  };
  await writeFile(path.join(copy, 'vitest.mutants.mjs'), `export default ${JSON.stringify(vitest)};\n`);
  const stryker = {
    testRunner: 'vitest',
    vitest: { configFile: 'vitest.mutants.mjs' },
    plugins: ['@stryker-mutator/vitest-runner'],
    disableTypeChecks: false,
    mutate: file === undefined ? [...mutate, ...NEVER] : [file],
    coverageAnalysis: 'perTest',
    // A static mutant, a changed table say, would take a run of all tests each.
    ignoreStatic: true,
    concurrency: 1,
    ignorePatterns: ['tool', 'test/golden'],
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: reportOf(name, copy) },
    timeoutMS: 10_000,
    allowEmpty: false,
  };
  await writeFile(path.join(copy, 'stryker.config.json'), JSON.stringify(stryker, undefined, 2));
  await run(process.execPath, ['tool/node_modules/@stryker-mutator/core/bin/stryker.js', 'run'], copy);
  return await figuresOf(reportOf(name, copy));
}

function reportOf(name: string, copy: string): string {
  return path.join(copy, `report-${name}.json`);
}

async function figuresOf(report: string): Promise<Figures> {
  const { files } = JSON.parse(await readFile(report, 'utf8')) as {
    readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>>;
  };
  const mutants = Object.values(files).flatMap((file) => file.mutants);
  const those = (...statuses: readonly string[]) => mutants.filter((mutant) => statuses.includes(statusOf(mutant)));
  const alive = those('Survived', 'NoCoverage');
  const [killed, survived] = [those('Killed', 'Timeout').length, alive.length];
  const texts = alive.filter(({ mutatorName }) => mutatorName === 'StringLiteral').length;
  return { killed, survived, texts, percent: (100 * killed) / (killed + survived) };
}

/** What Stryker calls a survivor although fewer tests ran than reach it was killed: a file of tests failed while it was loaded. */
function statusOf({ status, coveredBy = [], testsCompleted = 0 }: Mutant): string {
  return status === 'Survived' && testsCompleted < coveredBy.length ? 'Killed' : status;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with status ${status}`);
}
