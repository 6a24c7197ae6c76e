import { describeError, LedgerError } from '../errors.ts'
import type { PeerView, StatusView } from '../service/views.ts'
import { type Branch, branches } from './accounts.ts'
import type { Fleet, RunningPeer } from './fleet.ts'

export type Life = 'starting' | 'up' | 'killed'

const patienceMs = 60_000

/** The three peers as they come and go, and their last statuses. */
export class Crew {
  readonly #fleet: Fleet
  readonly #peers = new Map<Branch, RunningPeer>()
  readonly #statuses = new Map<Branch, StatusView>()
  readonly #lives = new Map<Branch, Life>(branches.map((name) => [name, 'starting']))
  readonly #watchers = new Set<() => void>()
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

  /** From now on a peer that ends unexpectedly is started again, and `say` is called. */
  keepAlive(say: (line: string) => void): void {
    this.#say = say
  }

  /** Starts a peer and introduces it and the others to each other, as a list of known peers would. */
  async start(name: Branch): Promise<void> {
    this.#set(name, 'starting')
    const peer = await this.#fleet.start(name)
    const others = this.peers()
    this.#peers.set(name, peer)
    void peer.ended?.then(async (how) => await this.#revive(peer, how))
    const { self } = await this.refresh(name)
    this.#set(name, 'up')
    for (const other of others) {
      try {
        const known = await other.ledger.status()
        for (const address of dialable(self)) await other.ledger.connect(address)
        for (const address of dialable(known.self)) await peer.ledger.connect(address)
      } catch (error) {
        // It ended meanwhile, and is introduced when it is back.
        if (this.#peers.get(other.name) === other) throw error
      }
    }
  }

  async kill(name: Branch): Promise<void> {
    const peer = this.#peers.get(name)
    if (peer === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run`)
    this.#peers.delete(name)
    this.#set(name, 'killed')
    await peer.kill()
  }

  async stop(): Promise<void> {
    this.#say = undefined
    const peers = this.peers()
    this.#peers.clear()
    await Promise.all(peers.map(async (peer) => await peer.stop()))
  }

  /** Asks a peer for its status. */
  async refresh(name: Branch): Promise<StatusView> {
    const peer = this.#peers.get(name)
    if (peer === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run`)
    const status = await peer.ledger.status({ signal: AbortSignal.timeout(10_000) })
    this.#statuses.set(name, status)
    this.changed()
    return status
  }

  /** The peer, as soon as it is up. */
  async running(name: Branch, signal: AbortSignal): Promise<RunningPeer> {
    await this.until(`${name} is up`, () => this.life(name) === 'up' && this.#peers.has(name), signal)
    const peer = this.#peers.get(name)
    if (peer === undefined) throw new LedgerError('UNAVAILABLE', `${name} does not run`)
    return peer
  }

  /** Resolves when this run of the peer has ended; rejects when it runs and does not answer. */
  async gone(peer: RunningPeer, signal: AbortSignal): Promise<void> {
    await this.until(`${peer.name} answers`, () => this.#peers.get(peer.name) !== peer, signal, 10_000)
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

  watch(watcher: () => void): void {
    this.#watchers.add(watcher)
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  async #revive(peer: RunningPeer, how: string): Promise<void> {
    const { name } = peer
    // Ended by us, or replaced.
    if (this.#say === undefined || this.#peers.get(name) !== peer) return
    this.#peers.delete(name)
    this.#set(name, 'killed')
    this.#say(`${name} ended (${how}); it is started again`)
    try {
      await this.start(name)
      this.#say(`${name} is back with what it had on disk`)
    } catch (error) {
      this.#set(name, 'killed')
      this.#say(`${name} did not come back: ${describeError(error).message}`)
    }
  }

  #set(name: Branch, life: Life): void {
    this.#lives.set(name, life)
    this.changed()
  }
}

function dialable(self: readonly PeerView[]): PeerView[] {
  return self.filter(({ addresses }) => addresses.length > 0)
}
