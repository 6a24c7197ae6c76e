import { checkKeys, P2plError } from '@p2pl/core/backend'
// [full
import { checkWord } from '@p2pl/core/backend'
// full]
import { type Address, parseAddress } from './engine/address.ts'

export interface Options {
  // [full
  /** A folder for the blocks and the id of this peer. Without it, both are lost when the process ends. */
  readonly dir?: string | undefined
  /** What stored content survives: the end of the `process` (default), or a loss of `power` as well. */
  readonly durability?: 'process' | 'power' | undefined
  // full]
  /** The address to listen on, `host:port`. Default `127.0.0.1:0`: any free port, reachable from this machine only. */
  readonly listen?: readonly string[] | undefined
}

export interface Settings {
  // [full
  readonly dir: string | undefined
  readonly durability: 'process' | 'power'
  // full]
  readonly listen: Address
}

/** Throws `INVALID_ARGUMENT`, which says what is wrong. Users read this message. */
export function settingsOf(options: Options = {}): Settings {
  checkKeys('my-net', options, [
    // [full
    'dir',
    'durability',
    // full]
    'listen'
  ])
  const { listen = ['127.0.0.1:0'] } = options
  const address = Array.isArray(listen) && listen.length === 1 ? parseAddress(String(listen[0])) : undefined
  if (address === undefined) throw invalid('listen must be a list with one address: ["127.0.0.1:4001"]')
  // [full
  const { dir } = options
  if (dir !== undefined && (typeof dir !== 'string' || dir === '')) throw invalid('dir must be the path of a folder')
  const durability = checkWord('my-net', 'durability', options.durability, ['process', 'power'], 'process')
  // full]
  return {
    // [full
    dir,
    durability,
    // full]
    listen: address
  }
}

function invalid(message: string): P2plError {
  return new P2plError({ code: 'INVALID_ARGUMENT', operation: 'my-net', message: `my-net: ${message}` })
}
