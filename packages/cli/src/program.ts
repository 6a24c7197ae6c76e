import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import type { Action, GlobalOptions } from './context.ts'
import { contentCommands } from './program/content.ts'
import { machineCommands } from './program/machine.ts'
import { messageCommands } from './program/messages.ts'
import { exitCodeOf, exitCodes } from './tools/exit-codes.ts'

/** Runs one command line and returns its exit code. Only the requested command is loaded. */
export async function runCommandLine(args: readonly string[], signal: AbortSignal): Promise<number> {
  let code: number = exitCodes.ok
  const program = createProgram((load) => async (...parameters) => {
    // Commander passes the arguments, then the command's own options, then the command.
    const options = (parameters.at(-1) as Command).optsWithGlobals<GlobalOptions>()
    const { createOutput } = await import('./tools/output.ts')
    const context = { options, output: createOutput({ json: options.json === true }), signal }
    code = (await (await load())(context, ...(parameters.slice(0, -1) as never[]))) ?? code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return exitCodeOf(error)
    const { reportFailure } = await import('./failure.ts')
    return reportFailure(error, args.includes('--json'), signal)
  }
}

/** Makes the handler of a command from the function that loads it. */
export type Run = (load: () => Promise<Action>) => (...parameters: unknown[]) => Promise<void>

export function createProgram(run: Run): Command {
  const program = new Command('p2pl')
    .description('Send messages and fetch data on any decentralized network.')
    .option(
      '--backend <name>',
      'helia, ipfs-rpc, bittorrent, memory or another adapter; a,b: the first that works; messages+data'
    )
    .option(
      '-d, --dir <folder>',
      'where content and keys are kept',
      folder,
      process.env['P2PL_DIR'] || join(homedir(), '.p2pl')
    )
    .option('--config <file>', 'a configuration file; default: p2pl.config.* in the current folder')
    .option('--connect <address>', 'a peer to connect to first; may be repeated', collect)
    .option('--listen <address>', "what to listen on, in the engine's own form; may be repeated", collect)
    .option('--timeout <seconds>', 'how long a call may wait; default: by the kind of call', seconds)
    .option('--json', 'results and errors as JSON, one value a line')
    .exitOverride()
    .showHelpAfterError('p2pl --help lists the commands')
    .addHelpText('after', help)
  for (const add of [contentCommands, messageCommands, machineCommands]) add(program, run)
  for (const command of [...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    command.exitOverride().showHelpAfterError(`p2pl ${pathOf(command)} --help has examples`)
  return program
}

const help = `
Examples:
  p2pl doctor                          find out what is wrong, and how to mend it
  p2pl add --stay photos/              share a folder
  p2pl get <cid> -o copy               fetch it, in another terminal
  p2pl sub news                        hear a topic
  p2pl pub news hello                  speak on it, in another terminal
  p2pl --backend bittorrent sub news   the same on another network

Exit codes: 0 ok · 1 failed · 2 usage · 3 not found · 5 damaged or forged`

function pathOf(command: Command): string {
  const { parent } = command
  return parent?.parent == null ? command.name() : `${parent.name()} ${command.name()}`
}

/** A variadic option would swallow the command that follows it. */
function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

function folder(text: string): string {
  if (text === '') throw new InvalidArgumentError('must be the path of a folder; "." is the current one.')
  return text
}

function seconds(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError('must be seconds, above 0 and at most 86400.')
  return value
}
