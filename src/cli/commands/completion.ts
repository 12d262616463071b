import { Argument, type Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { completionTree } from '../completion/tree.ts';
import { zshScript } from '../completion/zsh.ts';
import { describeFailure } from '../failure.ts';
import type { Session } from '../session.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof SCRIPTS;

/** More would scroll away, and a shell must not wait for a million keys. */
const KEYS_OFFERED_MAX = 200;

async function completeKeys(session: Session, prefix: string): Promise<void> {
  try {
    await using store = await session.openStore({ readOnly: true });
    for await (const { key } of session
      .entriesOf(store)
      .list({ prefix, limit: KEYS_OFFERED_MAX, signal: session.signal })) {
      // A key with a line break cannot be offered: shells read one a line.
      if (!/[\r\n]/.test(key)) await session.terminal.print(key);
    }
  } catch (error) {
    // Nothing to offer; a message here would land in the middle of the line somebody is typing.
    session.endWith(describeFailure(error).exitStatus);
  }
}

/** Defines `holdfast completion` and the hidden command its scripts call. */
export function addCompletion(program: Command, session: Session): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a script that completes commands, options and keys in bash, zsh or fish.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      '\nLoad it:\n  bash  source <(holdfast completion bash)       in ~/.bashrc\n' +
        '  zsh   source <(holdfast completion zsh)        in ~/.zshrc, after compinit\n' +
        '  fish  holdfast completion fish | source        in ~/.config/fish/config.fish',
    )
    .action(async (shell: Shell) => {
      await session.terminal.print(SCRIPTS[shell](completionTree(program)).trimEnd());
    });
  program
    .command('__complete', { hidden: true })
    .addArgument(new Argument('<what>').choices(['keys']))
    .argument('[prefix]')
    .action((_what: string, prefix = '') => completeKeys(session, prefix));
}
