import { spawnSync } from 'node:child_process';
import { Argument, Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { completionTree, flatCommands } from './tree.ts';
import { zshScript } from './zsh.ts';

function program(): Command {
  const root = new Command('holdfast')
    .option('-s, --store <folder>', 'folder of the store')
    .option('--json', "it's JSON");
  root.command('get').summary('read [an] entry: one').argument('[key]').option('-o, --output <path>', 'file to write');
  root
    .command('ls')
    .description('list')
    .argument('[prefix]')
    .addOption(new Option('--sort <by>', 'order').choices(['key', 'size']));
  root.command('put').description('store').argument('[paths...]');
  root
    .command('completion')
    .description('scripts')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh']));
  const key = root.command('key').description('keys');
  key.command('add').summary('let somebody in').argument('<how>').option('--label <text>', 'what to call it');
  key.command('show').summary('print').argument('<file>');
  root.command('__complete', { hidden: true });
  return root;
}

const tree = completionTree(program());
const hasBash = spawnSync('bash', ['--version']).status === 0;
if (!hasBash) console.warn('not run: the bash completion script in bash (install bash to run it)');

/**
 * Completes a line, the cursor at its end, in a bash where `holdfast` offers some keys, and one made of what it was
 * asked.
 */
function completeInBash(line: string): string[] {
  // As bash splits it: at blanks that are not quoted, with the quoting left in.
  const words = line.match(/(?:\\.|"[^"]*"?|'[^']*'?|[^ ])+|(?<= )$/g) ?? [];
  const script = `
holdfast() { :; }
command() { printf '%s\\n' 'notes/a.txt' 'notes/two words' 'blake3:12' "\${@: -1}=$*"; }
${bashScript(tree)}
COMP_LINE="$1" COMP_POINT=\${#1}
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_holdfast
printf '%s\\n' "\${COMPREPLY[@]}"
`;
  // Bash splits words at colons as well.
  const split = words.flatMap((word) => word.split(/(:)/).filter((piece) => piece !== ''));
  if (words.at(-1) === '') split.push('');
  const done = spawnSync('bash', ['-c', script, 'bash', line, ...split], { encoding: 'utf8' });
  expect(done.stderr).toBe('');
  return done.stdout.split('\n').filter((one) => one !== '');
}

describe('completionTree', () => {
  it('reads commands, options and what their values are from the program', () => {
    expect(tree.commands.map(({ name }) => name)).toEqual(['get', 'ls', 'put', 'completion', 'key']);
    expect(tree.options.map(({ flags }) => flags.at(-1))).toEqual(['--store', '--json', '--help']);
    expect(tree.options.map(({ value }) => value)).toEqual(['folder', undefined, undefined]);
    expect(tree.commands[0]).toMatchObject({
      arguments: ['key'],
      options: [{ flags: ['-o', '--output'], value: 'file' }],
    });
    expect(tree.commands[1]?.options[0]?.value).toEqual(['key', 'size']);
    expect(tree.commands[3]?.arguments).toEqual([['bash', 'zsh']]);
    expect(tree.commands[4]?.arguments).toEqual([['add', 'show']]);
    expect(flatCommands(tree).map(({ name }) => name)).toContain('key show');
  });
});

describe.skipIf(!hasBash)('the bash script', () => {
  it('is valid', () => {
    const done = spawnSync('bash', ['-n'], { input: bashScript(tree), encoding: 'utf8' });
    expect(done).toMatchObject({ status: 0, stderr: '' });
  });

  it('offers commands', () => {
    expect(completeInBash('holdfast ')).toEqual(['get', 'ls', 'put', 'completion', 'key']);
    expect(completeInBash('holdfast -s there l')).toEqual(['ls']);
  });

  it('offers the options of the command and the global ones', () => {
    expect(completeInBash('holdfast get --')).toEqual(['--output', '--store', '--json', '--help']);
    expect(completeInBash('holdfast --j')).toEqual(['--json']);
  });

  it('offers the values of an option, global ones after any command', () => {
    expect(completeInBash('holdfast ls --sort s')).toEqual(['size']);
    expect(completeInBash('holdfast completion z')).toEqual(['zsh']);
  });

  it('asks the store for keys, and quotes them', () => {
    expect(completeInBash('holdfast get notes/').slice(0, 2)).toEqual(['notes/a.txt', 'notes/two\\ words']);
  });

  it('goes on after a blank in a key, however it is quoted', () => {
    expect(completeInBash('holdfast get notes/two\\ w')[0]).toBe('notes/two\\ words');
    expect(completeInBash('holdfast get "notes/two w')[0]).toBe('notes/two words');
    expect(completeInBash("holdfast get 'notes/two w")[0]).toBe('notes/two words');
  });

  it('asks the store that -s names', () => {
    expect(completeInBash('holdfast -s there get zz')).toEqual(['zz=holdfast\\ -s\\ there\\ __complete\\ keys\\ zz']);
    expect(completeInBash('holdfast get zz')).toEqual(['zz=holdfast\\ __complete\\ keys\\ zz']);
  });

  it('offers what is in a group, and its options', () => {
    expect(completeInBash('holdfast key ')).toEqual(['add', 'show']);
    expect(completeInBash('holdfast -s there key s')).toEqual(['show']);
    expect(completeInBash('holdfast key add --l')).toEqual(['--label']);
  });

  it('completes the rest of a key after a colon', () => {
    expect(completeInBash('holdfast get blake3:1')[0]).toBe('12');
  });
});

describe('the zsh and fish scripts', () => {
  it('know every command and option, with quotes and brackets made harmless', () => {
    const zsh = zshScript(tree);
    expect(zsh).toContain("'get:read \\[an\\] entry\\: one'");
    expect(zsh).toContain("--json'[it'\\''s JSON]'");
    expect(zsh).toContain("'(-o --output)'{-o,--output}'[file to write]:value:_files'");
    expect(zsh).toContain("'*:argument:_holdfast_keys'");
    const fish = fishScript(tree);
    expect(fish).toContain("complete -c holdfast -n __fish_use_subcommand -a get -d 'read [an] entry: one'");
    expect(fish).toContain("complete -c holdfast -l json -d 'it\\'s JSON'");
    expect(zsh).toContain("commands=('add:let somebody in' 'show:print')");
    expect(zsh).toContain('show) _arguments $global');
    expect(fish).toContain("-n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from add' -l label -x");
    expect(fish).toContain("-n '__fish_seen_subcommand_from ls' -l sort -x -a 'key size' -d 'order'");
  });

  it.each(['zsh', 'fish'])('are valid in %s where it is installed', (shell) => {
    if (spawnSync(shell, ['--version']).status !== 0) {
      console.warn(`not run: the ${shell} completion script in ${shell} (install ${shell} to run it)`);
      return;
    }
    const script = shell === 'zsh' ? zshScript(tree) : fishScript(tree);
    expect(spawnSync(shell, ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });
});
