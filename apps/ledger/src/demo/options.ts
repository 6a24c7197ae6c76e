import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { partsOf } from '@p2pl/cli/tools'
import { LedgerError } from '../errors.ts'
import type { Branch } from './accounts.ts'

export interface DemoOptions {
  readonly once: boolean
  readonly help: boolean
  readonly dir: string
  readonly backend: string
  /** First port of the HTTP APIs and of the page; 0 picks free ports. */
  readonly port: number
  /** First port of the network engines; 0 picks free ports. */
  readonly listenPort: number
}

export const usage = `Runs a network of three ledger peers, feeds it, kills one peer and brings it back.

  --once               end after the proof: exit code 0, or 1 if it fails; one JSON line at the end
  --dir <folder>       where the state lives (default .p2pl); a second start goes on from there
  --backend <name>     helia (default) | memory | ipfs-rpc | bittorrent | mixed | split, or any that a configuration may name;
                       several with commas (helia,bittorrent): the first that works is used, and is taken down halfway
  --port <number>      HTTP APIs on this port and the next two, and the page on the one after these (default: any free ones)
  --listen-port <n>    network engines on this TCP port and the next two (default: any free ones)
  --help`

export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): DemoOptions {
  checkNpm(env)
  const { values } = parse(args)
  return {
    once: values.once,
    help: values.help,
    dir: folderOf(values.dir),
    backend: backendOf(values.backend),
    port: portOf('--port', values.port),
    listenPort: portOf('--listen-port', values['listen-port'])
  }
}

/** The backend of each peer. `@p2pl/config` checks all values except two. */
export function backendFor(backend: string, name: Branch): string {
  if (backend === 'mixed') return name === 'birch' ? 'helia' : 'ipfs-rpc'
  if (backend === 'split') return 'helia+bittorrent'
  return backend
}

/**
 * In the form of the engine; empty for any free port. With two engines, one takes the port and the other any free port.
 * Pages dial helia by WebSocket.
 */
export function listenAddresses(backend: string, port: number): string[] {
  if (backend.split(/[+,]/).includes('helia')) return [`/ip4/127.0.0.1/tcp/${port}`, '/ip4/127.0.0.1/tcp/0/ws']
  if (port === 0) return []
  return [backend === 'bittorrent' ? `127.0.0.1:${port}` : `/ip4/127.0.0.1/tcp/${port}`]
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      // npm passes on what follows `--`. pnpm also passes on the `--` itself.
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

/** Without the `--`, npm takes an option for its own, and only leaves a variable behind. */
function checkNpm(env: NodeJS.ProcessEnv): void {
  for (const name of ['once', 'dir', 'backend', 'port', 'listen-port']) {
    if (env[`npm_config_${name.replaceAll('-', '_')}`] === undefined) continue
    throw new LedgerError(
      'INVALID_ARGUMENT',
      `npm kept --${name} for itself. Put -- before the options: npm start -- --${name}`
    )
  }
}

/** Paths are made absolute, because each peer runs in its own folder. */
function backendOf(text: string): string {
  return partsOf(text)
    .map((names) => names.join(','))
    .join('+')
}

function folderOf(text: string): string {
  if (text === '')
    throw new LedgerError('INVALID_ARGUMENT', '--dir must be the path of a folder; "." is the current one')
  return resolve(text)
}

function portOf(option: string, text: string): number {
  const port = Number(text)
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_532)
    throw new LedgerError('INVALID_ARGUMENT', `${option} must be a number from 0 to 65532`)
  return port
}
