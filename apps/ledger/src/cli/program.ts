import { createOutput, exitCodeOf, exitCodes, explained } from '@p2pl/cli/tools'
import { P2plError } from '@p2pl/core'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { describeError, isLedgerError } from '../errors.ts'
import { parseAmount } from '../rules/fields.ts'
import { balance, log, show, status } from './commands/read.ts'
import { exportCar, importCar, verify } from './commands/car.ts'
import { init } from './commands/init.ts'
import { run } from './commands/run.ts'
import { record, transfer } from './commands/write.ts'
import type { CommandContext, GlobalOptions } from './context.ts'
import { createLog, logLevels } from '../log.ts'

type Action = (context: CommandContext, ...rest: never[]) => Promise<number | void>

/** Runs one command line and returns its exit code. */
export async function runCommandLine(args: readonly string[], signal: AbortSignal): Promise<number> {
  let code: number = exitCodes.ok
  const action =
    (body: Action) =>
    async (...parameters: unknown[]): Promise<void> => {
      // Commander passes the arguments, then the command's own options, then the command.
      const command = parameters.at(-1) as Command
      const options: GlobalOptions = command.optsWithGlobals()
      const json = options.json === true
      const level = options.logLevel ?? (command.name() === 'run' ? 'info' : 'warn')
      const context: CommandContext = {
        options,
        output: createOutput({ json, describe: describeError }),
        log: createLog({ level, json }),
        signal
      }
      const result = await body(context, ...(parameters.slice(0, -1) as never[]))
      if (result !== undefined) code = result
    }
  const program = createProgram(action)
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (thrown) {
    const error = signal.aborted && !(thrown instanceof CommanderError) ? interrupted(thrown) : explained(thrown)
    if (!(error instanceof CommanderError))
      createOutput({ json: args.includes('--json'), describe: describeError }).error(error)
    return exitCodeOf(error)
  }
}

function interrupted(cause: unknown): P2plError {
  const message = 'interrupted: what was done until then stays, and doing it again goes on'
  return new P2plError({ code: 'ABORTED', operation: 'command', cause, message })
}

function createProgram(action: (body: Action) => (...parameters: unknown[]) => Promise<void>): Command {
  const program = new Command('p2pl-ledger')
    .description('A distributed ledger on any network that p2pl has a backend for.')
    .option('-d, --dir <folder>', 'the folder of the node', folder, '.p2pl/ledger')
    .option('--json', 'results and errors as JSON, one line each')
    .addOption(
      new Option(
        '--backend <name>',
        'overrules the configuration: helia, memory, ipfs-rpc, bittorrent; a,b: the first that works; messages+data'
      )
    )
    .addOption(
      new Option(
        '--log-level <level>',
        'what goes to stderr beside errors; default: info for "run", else warn'
      ).choices(logLevels)
    )
    .exitOverride()
    .showHelpAfterError()
    .addHelpText(
      'after',
      '\nExit codes: 0 ok · 1 failed · 2 usage · 3 not found · 4 rejected by the rules · 5 damaged or forged'
    )

  program
    .command('init')
    .description('make a ledger, or join one by its genesis')
    .option('--network <name>', 'what people call it', 'ledger')
    .option('--balance <account=amount...>', 'initial balances; default: 1,000,000 for this account')
    .option('--witness <account...>', 'whose approval counts as a confirmation; default: this account')
    .addOption(
      new Option('--genesis <file>', 'join the ledger of this genesis').conflicts(['network', 'balance', 'witness'])
    )
    .action(action(init))
  program
    .command('run')
    .description('run the node and its HTTP API until Ctrl-C')
    .option('--port <number>', 'of the HTTP API on 127.0.0.1; 0 for any free one', port, 0)
    .option('--listen <address...>', "what the network engine listens on, in the engine's own form")
    .option('--connect <network:id@address...>', 'peers to stay connected to')
    .option('--beacon-period <ms>', 'mean time between beacons', wholeNumber)
    .option('--trace', 'make OpenTelemetry spans, for the SDK that NODE_OPTIONS="--import …" registers')
    .action(action(run))
  program
    .command('transfer')
    .description('move an amount to another account')
    .argument('<to>', 'account id')
    .argument('<amount>', 'whole number', amount)
    .option('--memo <text>')
    .option('--reference <text>', 'the same reference a second time writes nothing')
    .option('--force', 'write it although this node would reject it')
    .option('--sequence <number>', 'only with --force', wholeNumber)
    .action(action(transfer))
  program
    .command('record')
    .description('store a document and record it')
    .argument('<file>', 'a file; "-" for stdin')
    .option('--name <text>', 'default: the name of the file')
    .option('--media-type <type>', 'default: by the name')
    .option('--reference <text>', 'the same reference a second time writes nothing')
    .action(action(record))
  program
    .command('balance')
    .description('all balances, or that of one account ("me" for this node\'s)')
    .argument('[account]')
    .action(action(balance))
  program
    .command('show')
    .description('one entry, or with --content the bytes of a document')
    .argument('<cid>')
    .option('--content', 'write the bytes of the content with this CID to stdout')
    .action(action(show))
  program
    .command('log')
    .description('entries in canonical order')
    .option('--limit <number>', 'at most this many', wholeNumber, 20)
    .option('--oldest-first', 'from the first entry on; default: from the last one back')
    .option('--account <account>', 'only entries of this account')
    .option('--after <cid>', 'go on after this entry')
    .action(action(log))
  program.command('status').description('what this node knows').action(action(status))
  program
    .command('verify')
    .description('check everything again, from the root alone')
    .argument('[source]', 'a CAR file, or a root CID to fetch; default: the node’s own entries')
    .option('--root <cid>', 'the root that the CAR file must have')
    .action(action(verify))
  program
    .command('export')
    .description('write all entries as a CAR file')
    .argument('<file>', '"-" for stdout')
    .option('--force', 'replace a file that is there')
    .action(action(exportCar))
  program
    .command('import')
    .description('take entries from a CAR file')
    .argument('<file>', '"-" for stdin')
    .action(action(importCar))
  // Commands created before this call do not inherit it.
  for (const command of program.commands) command.exitOverride().showHelpAfterError(false)
  return program
}

function folder(text: string): string {
  if (text === '') throw new InvalidArgumentError('must be the path of a folder; "." is the current one.')
  return text
}

function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number.')
  return Number(text)
}

function port(text: string): number {
  const number = wholeNumber(text)
  if (number > 65_535) throw new InvalidArgumentError('must be a number from 0 to 65535.')
  return number
}

function amount(text: string): bigint {
  try {
    return parseAmount('amount', text)
  } catch (error) {
    if (isLedgerError(error)) throw new InvalidArgumentError(error.message)
    throw error
  }
}
