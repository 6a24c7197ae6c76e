import { blockKey } from '@p2pl/memory'
import type { Block, PeerInfo } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { peerInfo } from '../address.ts'
import { failure } from '../errors.ts'
import type { SimulatedHost } from '../host/host.ts'
import { simulatedIdentity } from '../host/identity.ts'
import type { SimulatedIdentity } from '../host/identity.ts'
import type { Medium } from '../network/medium.ts'
import type { SimulatedNetwork } from '../network/network.ts'
import type { Answerer, Listener, Node } from '../network/node.ts'
import { createRandom } from '../random.ts'
import type { Random } from '../random.ts'
import type { Ending } from '../simulator.ts'

/**
 * A hostile peer. It is on the network until {@link leave}, and has any number of identities. No layer of p2pl restricts
 * it: it publishes any bytes at any rate, and answers requests for blocks in any way. Its own actions take no time; its
 * messages travel like all others.
 */
export interface Stranger {
  /** The id of its host. */
  readonly id: string
  /** Its engine-level id and address. As a hint in a message, they make other peers ask it for content. */
  readonly address: PeerInfo
  /** Its machine. A process that is booted there, such as a peer of core, runs next to the raw access. */
  readonly host: SimulatedHost
  /** Its own random numbers. */
  readonly random: Random
  /** Virtual milliseconds since the simulator was made. */
  readonly now: number
  /** The time of a correct wall clock, in milliseconds since the Unix epoch. */
  readonly wall: number
  /** A new identity with every call. Identities cost nothing. */
  identity(): SimulatedIdentity
  /** Sends the bytes unchanged to every subscriber, or only to the hosts with these ids. Returns the number of receivers. */
  publish(topic: string, payload: Uint8Array, to?: readonly string[]): number
  /** Joins the topic and hears every message as it arrives. */
  listen(topic: string, listener: Listener): Ending
  /** Stores a block, and serves it as any host does. */
  keep(block: Block): void
  /** Puts out a provider record for the stranger, whether or not it has the block. */
  provide(cid: CID): void
  /** Answers every request for a block, as a host that claims to have everything. There is one answerer at a time. */
  serve(answerer: Answerer): Ending
  /** Calls `action` at a rate, which may be above a thousand per second. An error of `action` makes the run fail. */
  repeat(perSecond: number, action: () => unknown): Ending
  /** Calls `action` later, unless the stranger has left. An error of `action` makes the run fail. */
  after(ms: number, action: () => unknown): void
  /** Ends everything that the stranger does, and takes it off the network. */
  leave(): void
}

export interface StrangerParts {
  readonly seed: string | number
  readonly host: SimulatedHost
  readonly node: Node
  readonly network: SimulatedNetwork
  readonly medium: Medium
  readonly epoch: number
  /** Calls `action` later. An error of `action` makes the run fail. */
  readonly after: (ms: number, action: () => unknown) => void
}

export function createStranger({ seed, host, node, network, medium, epoch, after }: StrangerParts): Stranger {
  const { id } = host
  const endings = new Set<() => void>()
  let identities = 0
  let gone = false

  node.resident = { id, store: host.store, topics: new Map(), report: () => undefined }
  if (node.endpoint === undefined) network.join(node.resident)

  function ending(end: () => void): Ending {
    endings.add(end)
    return {
      end: () => {
        if (endings.delete(end)) end()
      }
    }
  }

  return {
    id,
    address: peerInfo(id),
    host,
    random: createRandom(`${seed}/stranger/${id}`),
    get now(): number {
      return medium.now
    },
    get wall(): number {
      return epoch + medium.now
    },
    identity: () => simulatedIdentity(`${seed}/stranger/${id}/${++identities}`),

    publish(topic, payload, to): number {
      if (node.endpoint === undefined) return 0
      return network.topics.publish(
        node,
        topic,
        payload.slice(),
        to?.map((other) => network.node(other))
      )
    },

    listen(topic, listener): Ending {
      node.listeners.set(topic, (node.listeners.get(topic) ?? new Set()).add(listener))
      network.topics.changed(node, topic)
      return ending(() => {
        const listeners = node.listeners.get(topic)
        listeners?.delete(listener)
        if (listeners?.size === 0) node.listeners.delete(topic)
        network.topics.changed(node, topic)
      })
    },

    keep(block): void {
      host.store.put(block)
      network.exchange.stored(node, block.cid)
    },

    provide(cid): void {
      network.records.add(blockKey(cid), node)
      network.exchange.provided(blockKey(cid))
    },

    serve(answerer): Ending {
      node.answerer = answerer
      network.exchange.answererChanged(node)
      return ending(() => {
        if (node.answerer !== answerer) return
        node.answerer = undefined
        network.exchange.answererChanged(node)
      })
    },

    repeat(perSecond, action): Ending {
      if (!(perSecond > 0 && perSecond < Infinity))
        throw failure('INVALID_ARGUMENT', 'repeat', `perSecond is a number above 0, not ${perSecond}`)
      const start = medium.now
      let done = 0
      const ended = new AbortController()
      const next = (): number => start + ((done + 1) * 1000) / perSecond
      const tick = async (): Promise<void> => {
        for (; next() <= medium.now && !ended.signal.aborted; done++) await action()
        if (!ended.signal.aborted) after(next() - medium.now, tick)
      }
      after(next() - start, tick)
      return ending(() => {
        ended.abort()
      })
    },

    after(ms, action): void {
      after(ms, () => (gone ? undefined : action()))
    },

    leave(): void {
      gone = true
      for (const end of endings) end()
      endings.clear()
      const { resident } = node
      node.resident = undefined
      host.crash()
      if (resident !== undefined) network.leave(resident)
    }
  }
}
