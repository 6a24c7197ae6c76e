import { describeError, LedgerError } from '../errors.ts'
import type { PeerView, StatusView } from '../service/views.ts'
import { type Branch, branches } from './accounts.ts'
import type { Fleet, RunningPeer } from './fleet.ts'

export type Life = 'starting' | 'up' | 'killed'

const patienceMs = 60_000
/** The longest time (ms) from the broken connections of a peer to the report of its end. */
const endToldMs = 10_000

/** The three peers, which start and end at any time, and their last statuses. */
export class Crew {
  readonly #fleet: Fleet
  readonly #peers = new Map<Branch, RunningPeer>()
  readonly #statuses = new Map<Branch, StatusView>()
  readonly #lives = new Map<Branch, Life>(branches.map((name) => [name, 'starting']))
  readonly #watchers = new Set<() => void>()
  readonly #stopping = new AbortController()
  #say: ((line: string) => void) | undefined

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  get description(): string {
    return this.#fleet.description
  }

  get killing(): string {
    return this.#fleet.killing
  }

  peer(name: Branch): RunningPeer | undefined {
    return this.#peers.get(name)
  }

  life(name: Branch): Life {
    return this.#lives.get(name) ?? 'starting'
  }

  status(name: Branch): StatusView | undefined {
    return this.#statuses.get(name)
  }

  peers(): RunningPeer[] {
    return branches.flatMap((name) => this.#peers.get(name) ?? [])
  }

  /** From now on a peer that ends unexpectedly is restarted, and `say` is called. */
  keepAlive(say: (line: string) => void): void {
    this.#say = say
  }

  /** Starts a peer, and introduces it to the others and the others to it, as a list of known peers would. */
  async start(name: Branch): Promise<void> {
    this.#set(name, 'starting')
    const peer = await this.#fleet.start(name)
    if (this.#stopping.signal.aborted) {
      await peer.stop()
      throw new LedgerError('UNAVAILABLE', 'stopped meanwhile')
    }
    const others = this.peers()
    this.#peers.set(name, peer)
    void peer.ended?.then(async (how) => await this.#revive(peer, how))
    const { self } = await this.refresh(name)
    this.#set(name, 'up')
    for (const other of others) {
      try {
        const known = await other.ledger.status()
        await introduce(other, self)
        await introduce(peer, known.self)
      } catch (error) {
        // One of them ended meanwhile. Its end is reported later than its connections break. It is introduced when it
        // is back.
        const ended = (): boolean => this.#peers.get(other.name) !== other || this.#peers.get(name) !== peer
        await this.until('one of them ended', ended, this.#stopping.signal, endToldMs).catch(() => {
          throw error
        })
      }
    }
  }

  /** Kills a peer. It stays down until it is started. */
  async kill(name: Branch): Promise<void> {
    const peer = this.#existing(name)
    this.#peers.delete(name)
    this.#set(name, 'killed')
    await peer.kill()
  }

  /** Kills a peer. It comes back like one that ended unexpectedly. */
  async crash(name: Branch): Promise<void> {
    const peer = this.#existing(name)
    await peer.kill()
    if (peer.ended === undefined) void this.#revive(peer, this.killing)
  }

  async stop(): Promise<void> {
    this.#say = undefined
    this.#stopping.abort()
    const peers = this.peers()
    this.#peers.clear()
    await Promise.all(peers.map(async (peer) => await peer.stop()))
  }

  /** Asks a peer for its status. */
  async refresh(name: Branch): Promise<StatusView> {
    const peer = this.#existing(name)
    const status = await peer.ledger.status({ signal: AbortSignal.timeout(10_000) })
    this.#statuses.set(name, status)
    this.changed()
    return status
  }

  /** Resolves with the peer as soon as it is up. */
  async running(name: Branch, signal: AbortSignal): Promise<RunningPeer> {
    await this.until(`${name} is up`, () => this.life(name) === 'up' && this.#peers.has(name), signal)
    return this.#existing(name)
  }

  /** Resolves when this run of the peer has ended. Rejects when it runs but does not answer. */
  async gone(peer: RunningPeer, signal: AbortSignal): Promise<void> {
    await this.until(`${peer.name} answers`, () => this.#peers.get(peer.name) !== peer, signal, endToldMs)
  }

  /** Resolves when the condition holds. It is checked at each change. */
  async until(
    what: string,
    condition: () => boolean,
    signal: AbortSignal,
    patience: number = patienceMs
  ): Promise<void> {
    if (condition()) return
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#watchers.delete(watch)
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        settle()
      }
      const watch = (): void => {
        if (condition()) end(resolve)
      }
      const abort = (): void => {
        end(() => {
          reject(signal.reason as Error)
        })
      }
      const timer = setTimeout(() => {
        end(() => {
          reject(new LedgerError('UNAVAILABLE', `not so after ${patience / 1_000} s: ${what}`))
        })
      }, patience)
      this.#watchers.add(watch)
      signal.addEventListener('abort', abort)
    })
  }

  /** Calls the watcher after each change. Returns a function that stops it. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  #existing(name: Branch): RunningPeer {
    const peer = this.#peers.get(name)
    if (peer === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run`)
    return peer
  }

  async #revive(peer: RunningPeer, how: string): Promise<void> {
    const { name } = peer
    // We ended it, or it was replaced.
    if (this.#say === undefined || this.#peers.get(name) !== peer) return
    this.#peers.delete(name)
    this.#set(name, 'killed')
    this.#say(`${name} ended (${how}); it is started again`)
    try {
      await this.start(name)
      this.#say?.(`${name} is back with what it had on disk`)
    } catch (error) {
      this.#set(name, 'killed')
      this.#say?.(`${name} did not come back: ${describeError(error).message}`)
    }
  }

  #set(name: Branch, life: Life): void {
    this.#lives.set(name, life)
    this.changed()
  }
}

/** On each network that both are on. One is enough, because a backend may be unavailable. */
async function introduce(peer: RunningPeer, others: readonly PeerView[]): Promise<void> {
  const addresses = dialable(others)
  const results = await Promise.allSettled(addresses.map(async (address) => await peer.ledger.connect(address)))
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined && results.every((result) => result.status === 'rejected')) throw failure.reason
}

function dialable(self: readonly PeerView[]): PeerView[] {
  return self.filter(({ addresses }) => addresses.length > 0)
}
