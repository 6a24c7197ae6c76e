import { setTimeout as sleep } from 'node:timers/promises'
import { type KuboRPCClient, multiaddr } from 'kubo-rpc-client'
import type { AbortOptions, PeerInfo } from '@p2pl/core/backend'
import { isP2plError } from '@p2pl/core/backend'
import { type CallKind, isMultiaddr, isPeerId, readableAddresses } from '@p2pl/kubo/rpc'
import type { Engine } from './engine.ts'
import { backendName, failure } from './errors.ts'
import type { LibraryCallKind } from './rpc/client.ts'

interface Wanted {
  readonly peer: PeerInfo
  failures: number
  /** On the clock of `performance.now`. */
  nextAttempt: number
}

const dialTimeout = 15_000
/** What a daemon says when two dials crossed. */
const crossed = /clientHelloMsg|simultaneous/i
const crossedAttempts = 4
const crossedPause = 200
const maxHintDials = 8
const maxHints = 4
const maxRedialPause = 30_000

const dialling: LibraryCallKind = { operation: 'routing.connect', lane: 'network', timeout: dialTimeout }
const disconnecting: LibraryCallKind = { operation: 'routing.disconnect', lane: 'network' }
const listing: CallKind = { operation: 'routing.connections', lane: 'network' }
const maxListBytes = 4 * 1024 * 1024

/**
 * Direct connections of the daemon. It forgets those that break, so the wanted ones are looked after here: at every
 * look at the daemon a lost one is dialled again, for ever, with a growing pause.
 */
export class Connections {
  readonly #engine: Engine
  readonly #wanted = new Map<string, Wanted>()
  readonly #dialling = new Set<string>()
  #connected: ReadonlySet<string> = new Set()
  #looking = false

  constructor(engine: Engine) {
    this.#engine = engine
    engine.kubo.health.on((event) => {
      if (event.type === 'look') void this.tick().catch(() => {})
    })
  }

  async connect(peer: PeerInfo, options: AbortOptions = {}): Promise<void> {
    const operation = 'routing.connect'
    this.#engine.check(operation, options.signal)
    if (typeof peer.id !== 'string' || peer.id === '')
      throw failure('INVALID_ARGUMENT', operation, 'connect needs the id of the peer')
    if (peer.id === this.#engine.self().id)
      throw failure('INVALID_ARGUMENT', operation, 'a peer cannot connect to itself')
    await this.#meet(operation, peer, options.signal)
    this.#wanted.set(peer.id, {
      peer: { id: peer.id, addresses: readableAddresses(peer.addresses) },
      failures: 0,
      nextAttempt: 0
    })
  }

  /**
   * Two daemons that dial each other in the same moment, from the ports that they listen on, can meet half-way: both take
   * themselves for the client and give up. The other's next dial may have won by now; else it is a matter of another try.
   */
  async #meet(operation: string, peer: PeerInfo, signal: AbortSignal | undefined): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#dial(peer, signal)
        return
      } catch (error) {
        if (!isP2plError(error, 'UNREACHABLE') || !crossed.test(error.message)) throw error
        if ((await this.list({ signal })).some(({ id }) => id === peer.id)) return
        if (attempt === crossedAttempts) throw error
        await sleep(Math.random() * crossedPause * attempt)
      }
    }
  }

  async disconnect(id: string, options: AbortOptions = {}): Promise<void> {
    const operation = 'routing.disconnect'
    this.#engine.check(operation, options.signal)
    this.#wanted.delete(id)
    try {
      await this.#engine.rpc.call(
        disconnecting,
        options.signal,
        async (kubo, library) => await kubo.swarm.disconnect(addressOf(operation, id), library)
      )
    } catch (error) {
      // Not being connected is what was asked for.
      if (!isP2plError(error, 'NOT_FOUND') && !(isP2plError(error, 'ENGINE') && /not connected/.test(error.message)))
        throw error
    }
  }

  async list(options: AbortOptions = {}): Promise<PeerInfo[]> {
    const operation = 'routing.connections'
    this.#engine.check(operation, options.signal)
    // Not by the library, which gives up the whole answer for one address that it does not know.
    const answer = await this.#engine.rpc.request(listing, { path: 'swarm/peers', signal: options.signal })
    const { Peers: peers } = await answer.json(maxListBytes)
    const addresses = new Map<string, string[]>()
    for (const entry of Array.isArray(peers) ? (peers as ({ Peer?: unknown; Addr?: unknown } | null)[]) : []) {
      const [id, address] = [entry?.Peer, entry?.Addr]
      if (!isPeerId(id) || !isMultiaddr(address)) continue
      const known = addresses.get(id)
      if (known === undefined) addresses.set(id, [address])
      else known.push(address)
    }
    return [...addresses].map(([id, list]) => ({ id, addresses: readableAddresses(list) }))
  }

  /** Connects in the background to a few of those who probably have something. Bounded; failures do not matter. */
  hint(providers: readonly PeerInfo[] | undefined): void {
    for (const peer of (providers ?? []).slice(0, maxHints)) {
      if (this.#connected.has(peer.id) || this.#dialling.has(peer.id) || peer.id === this.#engine.self().id) continue
      if (this.#dialling.size >= maxHintDials) return
      this.#dialling.add(peer.id)
      void this.#dial(peer, undefined)
        .then(
          () => {
            this.#connected = new Set([...this.#connected, peer.id])
          },
          () => {}
        )
        .finally(() => this.#dialling.delete(peer.id))
    }
  }

  /** Looks who is connected, tells who came and went, and dials wanted ones that are lost. */
  async tick(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const peers = await this.list().finally(() => {
      this.#looking = false
    })
    const now = new Set(peers.map((peer) => peer.id))
    const before = this.#connected
    this.#connected = now
    for (const id of now) if (!before.has(id)) this.#engine.emit({ type: 'peer:connect', backend: backendName, id })
    for (const id of before) if (!now.has(id)) this.#engine.emit({ type: 'peer:disconnect', backend: backendName, id })
    for (const wanted of this.#wanted.values()) if (!now.has(wanted.peer.id)) void this.#redial(wanted)
  }

  /** Forgets all: the backend stops. */
  clear(): void {
    this.#wanted.clear()
    this.#connected = new Set()
  }

  async #redial(wanted: Wanted): Promise<void> {
    const { peer } = wanted
    if (this.#dialling.has(peer.id) || performance.now() < wanted.nextAttempt) return
    this.#dialling.add(peer.id)
    try {
      await this.#dial(peer, undefined)
      wanted.failures = 0
    } catch {
      wanted.failures++
      wanted.nextAttempt = performance.now() + Math.min(maxRedialPause, 500 * 2 ** Math.min(wanted.failures, 10))
    } finally {
      this.#dialling.delete(peer.id)
    }
  }

  async #dial(peer: PeerInfo, signal: AbortSignal | undefined): Promise<void> {
    const suffix = `/p2p/${peer.id}`
    const addresses = readableAddresses(peer.addresses).map((address) =>
      address.includes('/p2p/') ? address : `${address}${suffix}`
    )
    // The library's type says one, as an object: it passes texts and lists on, and the daemon tries all of them.
    const all = (addresses.length === 0 ? [suffix] : addresses) as unknown as Parameters<
      KuboRPCClient['swarm']['connect']
    >[0]
    await this.#engine.rpc.call(dialling, signal, async (kubo, library) => await kubo.swarm.connect(all, library))
  }
}

function addressOf(operation: string, id: string): ReturnType<typeof multiaddr> {
  try {
    return multiaddr(`/p2p/${id}`)
  } catch (cause) {
    throw failure('INVALID_ARGUMENT', operation, `"${id.slice(0, 100)}" is not the id of a peer`, { cause })
  }
}
