/** Command lines: one argument a line. Each is read as far as its command begins, which is then not run. */
import { PassThrough } from 'node:stream';
import { type Command, CommanderError } from 'commander';
import { utf8Encode } from '../../../src/bytes/bytes.ts';
import { describeFailure, type Failure } from '../../../src/cli/failure.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { Session } from '../../../src/cli/session.ts';
import { Terminal } from '../../../src/cli/terminal.ts';
import { EXIT_STATUS } from '../../../src/errors/codes.ts';
import { mustHold } from '../harness/expect.ts';
import { type FuzzTarget, fuzzTarget } from '../harness/fuzz-target.ts';
import { type Mutation, pick } from '../mutations/mutation.ts';
import { inputText, TEXT_MUTATIONS } from '../mutations/text.ts';

const LINES: readonly (readonly string[])[] = [
  ['-s', 'x', 'put', 'a.txt', '--key', 'k', '--attribute', 'a=b', '--if-absent'],
  ['ls', '--prefix', 'a/', '--limit', '10', '--json'],
  ['get', 'k', '-o', 'out', '--offset', '1', '--length', '2'],
  ['gc', '--dry-run', '--time', '10s', '--bytes', '1GiB'],
  ['find', '--where', 'size>1MiB', '--sort', 'size'],
  ['rm', '--recursive', 'a', '--dry-run', '-q'],
  ['backend', 'add', 'file:///x', '--domain', 'd'],
  ['key', 'rotate', '--namespace', 'x'],
  ['snapshot', 'create', 'docs', '--message', 'm', '--exclude', '*.tmp'],
  ['ref', 'set', 'main', '00'.repeat(32), '--if', 'absent'],
  ['init', '--redundancy', '3+2', '--plain', '--chunking', 'fastcdc:16k'],
  ['scrub', '--rate', '10MiB/s', '--sample', '5%'],
  ['help', 'put'],
  ['--version'],
];

const toInput = (args: readonly string[]): Uint8Array => utf8Encode(args.join('\n'));
const toArgs = (input: Uint8Array): string[] => inputText(input).split('\n');

/** Arguments come, go, change places, and are those of other commands. */
const byArguments: Mutation = (input, random, others) => {
  const args = toArgs(input);
  const at = random.integer(args.length + 1);
  const other = pick(random, toArgs(pick(random, others)));
  const changes: readonly (() => unknown)[] = [
    () => args.splice(at, 1),
    () => args.splice(at, 0, other),
    () => args.splice(at, 0, ...args.slice(0, at)),
    () => args.splice(at, 1, `--${other}`),
    () => args.splice(at, 1, `${args[at] ?? ''}=${other}`),
    () => args.reverse(),
  ];
  pick(random, changes)();
  return toInput(args.slice(0, 64));
};

class Begun extends Error {}

function silence(command: Command): void {
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined, outputError: () => undefined });
  for (const child of command.commands) silence(child);
}

/** How a command line would end before its command does anything: not at all, with help, or with a failure. */
async function beginning(args: readonly string[]): Promise<Failure | undefined> {
  const session = new Session(new Terminal(new PassThrough(), new PassThrough()), new AbortController().signal);
  const program = buildProgram(session, args);
  silence(program);
  program.hook('preAction', () => {
    throw new Begun();
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof Begun) return undefined;
    if (error instanceof CommanderError && error.code.startsWith('commander.help')) return undefined;
    if (error instanceof CommanderError && error.code === 'commander.version') return undefined;
    return describeFailure(error);
  }
  return undefined;
}

const commandLine = fuzzTarget({
  name: 'command-line',
  samples: () => LINES.map(toInput),
  mutations: [byArguments, byArguments, ...TEXT_MUTATIONS],
  read: (input) => beginning(toArgs(input)),
  check: (failure) => {
    if (failure === undefined) return;
    mustHold(failure.exitStatus === EXIT_STATUS.invalid, `it ends with ${failure.exitStatus}: ${failure.message}`);
    mustHold(failure.message !== '' && !failure.message.includes('\n    at '), 'the message is none');
  },
  errors: [],
  cost: 'dear',
});

export const COMMAND_LINE_TARGETS: readonly FuzzTarget[] = [commandLine];
