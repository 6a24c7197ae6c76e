import { createPeer, type Peer, type PeerOptions } from '@p2pl/core'
import { createSimulator, type SimulatedHost, type Simulator, type SimulatorOptions } from '@p2pl/simulator'
import { encode } from '@ipld/dag-cbor'
import { seededBytes } from '@p2pl/tooling-vitest'
import type { CID } from 'multiformats/cid'

export type Keep = NonNullable<NonNullable<PeerOptions['receipts']>['keep']>

export const topic = 'p2pl/receipts/1'
export const kibibyte = 1024

const dagCbor = 0x71

/** A DAG of a root and a dozen leaves, with the root first. */
export async function putDag(peer: Peer, seed: number): Promise<{ readonly cids: readonly CID[] }> {
  const leaves: CID[] = []
  for (let i = 0; i < 12; i++) leaves.push(await peer.blocks.put(seededBytes(300, seed * 100 + i)))
  const root = await peer.blocks.put(encode(leaves), { codec: dagCbor })
  await peer.data.pin(root)
  return { cids: [root, ...leaves] }
}

/** Hosts whose peers keep content for the ones that are named, and come back after a crash. */
export class Group {
  readonly simulator: Simulator
  readonly peers: Map<string, Peer> = new Map()
  readonly #keeps = new Map<string, Keep | undefined>()

  constructor(options: SimulatorOptions) {
    this.simulator = createSimulator(options)
  }

  idOf(host: string): string {
    return this.simulator.host(host).identity.id
  }

  async start(host: string, keep?: Keep): Promise<Peer> {
    this.#keeps.set(host, keep)
    return await this.simulator.complete(this.boot(this.simulator.host(host)))
  }

  readonly boot = async (host: SimulatedHost): Promise<Peer> => {
    const keep = this.#keeps.get(host.id)
    const peer = await createPeer({ ...host.boot(), ...(keep === undefined ? {} : { receipts: { keep } }) })
    this.peers.set(host.id, peer)
    return peer
  }

  peer(host: string): Peer {
    const peer = this.peers.get(host)
    if (peer === undefined) throw new Error(`${host} is not up`)
    return peer
  }

  /** Whether all of the DAG (a file of this package's tests) is stored on the host. */
  holds(host: string, cids: readonly CID[]): boolean {
    const { store } = this.simulator.host(host)
    return cids.every((cid) => store.has(cid))
  }

  /** Bytes in the store of the host. */
  bytesOn(host: string): number {
    let bytes = 0
    for (const block of this.simulator.host(host).store.blocks.values()) bytes += block.bytes.byteLength
    return bytes
  }
}
