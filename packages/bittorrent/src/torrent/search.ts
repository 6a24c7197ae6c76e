import type { Socket } from 'node:net'
import { formatAddress, type Address } from '../address.ts'
import { sleep } from '@p2pl/embedded'
import type { Links } from '../engine/links.ts'
import type { Rendezvous } from '../engine/rendezvous.ts'

const maxSockets = 20
const maxTried = 4_096
const firstPause = 1_000
const longestPause = 30_000
const retryAddress = 3_000

export interface SearchInit {
  readonly infoHash: Uint8Array
  readonly peers: readonly Address[]
  readonly links: Links
  readonly rendezvous: Rendezvous
  /** A connection to somebody of the swarm. */
  readonly connected: (socket: Socket, address: string) => void
}

/** Meets those who have a torrent, stock clients and participants alike, and connects to them through the gate. */
export class Search {
  readonly #init: SearchInit
  readonly #sockets = new Set<Socket>()
  /** When an address may be tried again. */
  readonly #tried = new Map<string, number>()
  readonly #banned = new Set<string>()
  #pause = firstPause
  #wake: () => void = () => {}
  readonly #stopped = new AbortController()

  constructor(init: SearchInit) {
    this.#init = init
    void this.#run().catch(() => {})
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** Whoever lies is not asked again. */
  ban(address: string): void {
    this.#banned.add(address)
  }

  add(peers: readonly Address[]): void {
    for (const peer of peers) void this.#dial(peer)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    const { rendezvous, infoHash, peers } = this.#init
    while (!signal.aborted) {
      this.add(peers)
      if (rendezvous.meets)
        await rendezvous.lookup(infoHash, (address) => void this.#dial(address), signal).catch(() => {})
      const woken = new AbortController()
      this.#wake = () => woken.abort()
      await sleep(this.#pause, AbortSignal.any([signal, woken.signal])).catch(() => {})
      this.#pause = Math.min(this.#pause * 2, longestPause)
    }
  }

  /** Nobody is there any more: looks again as soon as the addresses may be tried again. */
  #again(): void {
    this.#pause = firstPause
    setTimeout(() => this.#wake(), retryAddress).unref()
  }

  async #dial(address: Address): Promise<void> {
    const text = formatAddress(address)
    const { links, connected } = this.#init
    if (this.#stopped.signal.aborted || this.#sockets.size >= maxSockets || links.isOwn(address)) return
    if (this.#banned.has(text)) return
    if ((this.#tried.get(text) ?? 0) > performance.now() || this.#tried.size >= maxTried) return
    this.#tried.set(text, performance.now() + retryAddress)
    try {
      const socket = await links.connect(address)
      if (this.#stopped.signal.aborted) return void socket.destroy()
      this.#sockets.add(socket)
      this.#tried.set(text, Infinity)
      socket.once('close', () => {
        this.#sockets.delete(socket)
        this.#tried.set(text, performance.now() + retryAddress)
        if (this.#sockets.size === 0) this.#again()
      })
      connected(socket, text)
    } catch {
      // It is tried again with the next search.
    }
  }
}
