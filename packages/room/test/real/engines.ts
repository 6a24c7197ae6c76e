import type { Backend } from '@p2pl/core'
import { bittorrent } from '@p2pl/bittorrent'
import { helia } from '@p2pl/helia'

/** On loopback. Peers meet by `connect` alone: a pulled cable is then a partition. */
export const engines: { readonly helia: () => Backend; readonly bittorrent: () => Backend } = {
  helia: () => helia({ dht: false }),
  bittorrent: () => bittorrent({ dht: false })
}

export type Engine = keyof typeof engines
