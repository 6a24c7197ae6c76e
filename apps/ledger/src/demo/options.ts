import { parseArgs } from 'node:util'
import { resolve } from 'node:path'
import { LedgerError } from '../errors.ts'
import type { Branch } from './accounts.ts'

export interface DemoOptions {
  readonly once: boolean
  readonly help: boolean
  readonly dir: string
  readonly backend: string
  /** First port of the HTTP APIs; 0 for any free ones. */
  readonly port: number
  /** First port of the network engines; 0 for any free ones. */
  readonly listenPort: number
}

export const usage = `Runs a network of three ledger peers, feeds it, kills one peer and brings it back.

  --once               end after the proof: exit code 0, or 1 if it fails; one JSON line at the end
  --dir <folder>       where the state lives (default .p2pl); a second start goes on from there
  --backend <name>     helia (default) | memory | ipfs-rpc | bittorrent | mixed | split, or any that a configuration may name
  --port <number>      HTTP APIs on this port and the next two (default: any free ones)
  --listen-port <n>    network engines on this TCP port and the next two (default: any free ones)
  --help`

export function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parse(args)
  return {
    once: values.once,
    help: values.help,
    dir: resolve(values.dir),
    backend: values.backend,
    port: portOf('--port', values.port),
    listenPort: portOf('--listen-port', values['listen-port'])
  }
}

/** The backend of each peer. `@p2pl/config` judges all values but two. */
export function backendFor(backend: string, name: Branch): string {
  if (backend === 'mixed') return name === 'birch' ? 'helia' : 'ipfs-rpc'
  if (backend === 'split') return 'helia+bittorrent'
  return backend
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      // npm passes what follows `--` on, and pnpm passes the `--` itself, too.
      args: args.filter((argument) => argument !== '--'),
      options: {
        once: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        dir: { type: 'string', default: '.p2pl' },
        backend: { type: 'string', default: 'helia' },
        port: { type: 'string', default: '0' },
        'listen-port': { type: 'string', default: '0' }
      }
    })
  } catch (cause) {
    throw new LedgerError('INVALID_ARGUMENT', (cause as Error).message, cause)
  }
}

function portOf(option: string, text: string): number {
  const port = Number(text)
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_533)
    throw new LedgerError('INVALID_ARGUMENT', `${option} must be a number from 0 to 65533`)
  return port
}
