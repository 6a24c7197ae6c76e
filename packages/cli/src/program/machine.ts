import { Argument, type Command, Option } from 'commander'
import type { Run } from '../program.ts'
import { examples, wholeNumber } from './parse.ts'

/** Commands about this machine. */
export function machineCommands(program: Command, run: Run): void {
  program
    .command('doctor')
    .description(
      'find what is wrong with runtime, configuration, backend, daemon, network, clock and disk, and how to mend it'
    )
    .option('--time-from <url>', 'a server whose clock is compared with this one')
    .addHelpText(
      'after',
      examples(
        ['p2pl doctor', ''],
        ['p2pl --backend ipfs-rpc doctor', 'with the daemon'],
        ['p2pl --json doctor', 'one JSON object for each check']
      )
    )
    .action(run(async () => (await import('../commands/doctor.ts')).doctor))
  program
    .command('bench')
    .description('measure the backend between two processes of this machine')
    .option('--size <MB>', 'content to send', wholeNumber(1), 64)
    .option('--messages <number>', 'messages to send', wholeNumber(1), 20_000)
    .addOption(new Option('--other <topic>').hideHelp())
    .addHelpText('after', examples(['p2pl bench', ''], ['p2pl --backend bittorrent bench --size 256', '']))
    .action(run(async () => (await import('../commands/bench.ts')).bench))
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      examples(
        ['source <(p2pl completion bash)', 'in ~/.bashrc'],
        ['source <(p2pl completion zsh)', 'in ~/.zshrc'],
        ['p2pl completion fish | source', 'in ~/.config/fish/config.fish']
      )
    )
    .action(run(async () => (await import('../commands/completion.ts')).completion))
}
