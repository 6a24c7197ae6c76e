import { createPeer, type PeerAddress } from '@p2pl/core'
import { encodeGenesis, type Genesis, initHome, LedgerNode, prepareHome } from '@p2pl/ledger'
import type { Role } from '../harness/child.ts'
import { type BackendName, openBackend } from '../stacks/backends.ts'

/** A peer of the ledger, without its HTTP API. */
export interface LedgerPeer {
  account(): Promise<string>
  open(genesis: Genesis): Promise<PeerAddress>
  connect(to: PeerAddress): Promise<void>
  /** Transfers 1 to another account `count` times, at this rate per second. Resolves when the last transfer is on disk. */
  transfer(to: string, count: number, perSecond: number): Promise<void>
  /** Resolves when this many entries are here. */
  has(entries: number): Promise<void>
}

export interface LedgerOptions {
  readonly backend: BackendName
  readonly folder: string
}

const ledger: Role<LedgerOptions, LedgerPeer> = async ({ backend, folder }) => {
  const { id } = await prepareHome(folder)
  let node: LedgerNode
  let peer: Awaited<ReturnType<typeof createPeer>>
  return {
    account: async () => id,
    open: async (genesis) => {
      const home = await initHome(folder, encodeGenesis(genesis))
      peer = await createPeer({ backend: await openBackend({ backend, folder }), identity: home.identity })
      node = await LedgerNode.open({ home, peer, backend })
      return peer.network.self()
    },
    connect: (to) => peer.network.connect(to),
    transfer: async (to, count, perSecond) => {
      const begin = performance.now()
      for (let i = 0; i < count; i++) {
        const wait = begin + (i * 1_000) / perSecond - performance.now()
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
        await node.transfer({ to, amount: 1n })
      }
    },
    has: async (entries) => {
      while ((await node.status()).entries < entries) await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

export default ledger
