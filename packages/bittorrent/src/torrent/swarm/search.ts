import type { Socket } from 'node:net'
import { sleep } from '@p2pl/core/backend'
import type { Dialler } from '../../overlay/links/dialler.ts'
import type { Rendezvous } from '../../overlay/rendezvous/rendezvous.ts'
import { formatAddress, type Address } from '../../tools/address.ts'

const maxSockets = 20
const maxTried = 4_096
const firstPause = 1_000
const longestPause = 30_000
const retryAddress = 3_000

export interface SearchInit {
  readonly infoHash: Uint8Array
  readonly peers: readonly Address[]
  readonly dialler: Dialler
  readonly rendezvous: Rendezvous
  /** Whether only trackers may be asked for the torrent's peers (BEP 27). */
  readonly private: () => boolean
  /** A connection to a peer of the swarm. */
  readonly connected: (socket: Socket, address: string) => void
}

/** Finds the peers of a torrent, stock clients and others, and connects to them through the gate. */
export class Search {
  readonly #init: SearchInit
  readonly #sockets = new Set<Socket>()
  /** When an address may be tried again. */
  readonly #tried = new Map<string, number>()
  readonly #banned = new Set<string>()
  readonly #stopped = new AbortController()
  #pause = firstPause
  #wake: () => void = () => {}

  constructor(init: SearchInit) {
    this.#init = init
    void this.#run().catch(() => {})
  }

  stop(): void {
    this.#stopped.abort()
  }

  /** A peer that lies is not contacted again. */
  ban(address: string): void {
    this.#banned.add(address)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    const { rendezvous, infoHash, peers } = this.#init
    const found = (address: Address): void => void this.#dial(address)
    while (!signal.aborted) {
      for (const peer of peers) found(peer)
      const places = this.#init.private() ? 'trackers' : 'everywhere'
      if (rendezvous.meets) await rendezvous.lookup(infoHash, found, signal, places).catch(() => {})
      const woken = new AbortController()
      this.#wake = () => woken.abort()
      await sleep(this.#pause, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => {})
      this.#pause = Math.min(this.#pause * 2, longestPause)
    }
  }

  /** No peer is left: searches again as soon as the addresses may be tried again. */
  #again(): void {
    this.#pause = firstPause
    setTimeout(() => this.#wake(), retryAddress).unref()
  }

  async #dial(address: Address): Promise<void> {
    const text = formatAddress(address)
    const { dialler, connected } = this.#init
    if (this.#stopped.signal.aborted || this.#sockets.size >= maxSockets || dialler.isOwn(address)) return
    if (this.#banned.has(text)) return
    if ((this.#tried.get(text) ?? 0) > performance.now() || this.#tried.size >= maxTried) return
    this.#tried.set(text, performance.now() + retryAddress)
    try {
      const socket = await dialler.connect(address)
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
      // The next search tries it again.
    }
  }
}
