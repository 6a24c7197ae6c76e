import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { sleep } from '@p2pl/core/backend'
import { formatAddress, type Address } from '../../tools/address.ts'
import { hexOf } from '../../tools/bytes.ts'
import type { Key } from '../keys.ts'
import { TokenBucket } from '../../tools/token-bucket.ts'
import type { ProfileGate } from '@p2pl/embedded'
import { decodeLocal, encodeLocal, localGroup, localPort, maxLocalKeys } from './local-message.ts'

/** The most datagrams per second that are read, and that are sent. */
const readRate = 100
const readBurst = 400
const sendRate = 4
const sendBurst = 16
/** Keys announced within this time (ms) leave in one datagram. */
const gathering = 50
/** A key is announced again after a second at first, then less and less often. */
const firstPause = 1_000
const longestPause = 60_000
/** A kept key is announced again after this time (ms); BEP 14 recommends five minutes. */
const renewalInterval = 300_000
const renewalCheck = 10_000
/** A peer that hears its key answers within this time (ms). */
const answerTimeout = 300
const maxKept = 10_000
const maxSaid = 20_000
const maxHeard = 2_048
const maxHeardOfOne = 64
const heardLifetime: number = renewalInterval + 30_000

export interface LocalInit {
  /** This peer's addresses in the networks to use. */
  readonly interfaces: readonly string[]
  readonly gate: ProfileGate
  /** The TCP port. */
  readonly port: () => number
}

type Found = (address: Address) => void

/** Peers and clients in the same network find each other by multicast (local service discovery, BEP 14). */
export class LocalDiscovery {
  readonly #init: LocalInit
  readonly #cookie = `p2pl-${hexOf(randomBytes(8))}`
  readonly #kept = new Map<string, { readonly key: Key; due: number }>()
  /** When a key may be announced again. */
  readonly #said = new Map<string, { pause: number; free: number }>()
  readonly #waiting = new Map<string, Key>()
  readonly #heard = new Map<string, Map<string, { readonly address: Address; readonly until: number }>>()
  readonly #watchers = new Map<string, Set<Found>>()
  readonly #read = new TokenBucket(readRate, readBurst)
  readonly #sends = new TokenBucket(sendRate, sendBurst)
  readonly #sockets: Socket[] = []
  #gather: NodeJS.Timeout | undefined
  #renewal: NodeJS.Timeout | undefined

  constructor(init: LocalInit) {
    this.#init = init
  }

  /**
   * Joins the multicast group in every network. A network where that fails is left out, because local discovery is
   * optional.
   */
  async start(): Promise<void> {
    await Promise.all(this.#init.interfaces.map(async (address) => await this.#join(address)))
    this.#renewal = setInterval(() => this.#renew(), renewalCheck).unref()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#gather)
    clearInterval(this.#renewal)
    this.#kept.clear()
    this.#waiting.clear()
    await Promise.all(this.#sockets.splice(0).map((socket) => new Promise<void>((done) => socket.close(() => done()))))
  }

  /** Announces that this peer has the key: now, regularly, and whenever another peer looks for it. */
  keep(key: Key): void {
    if (this.#kept.size >= maxKept && !this.#kept.has(hexOf(key))) return
    this.#kept.set(hexOf(key), { key, due: performance.now() + renewalInterval })
    this.#say(key)
  }

  drop(key: Key): void {
    this.#kept.delete(hexOf(key))
  }

  /** Calls `found` for each peer that announces the key, until the returned function is called. */
  watch(key: Key, found: Found): () => void {
    const name = hexOf(key)
    const watchers = this.#watchers.get(name) ?? new Set()
    this.#watchers.set(name, watchers)
    // A new function, because the same function may be passed twice.
    const own: Found = (address) => found(address)
    watchers.add(own)
    return () => {
      watchers.delete(own)
      if (watchers.size === 0) this.#watchers.delete(name)
    }
  }

  /** Calls `found` for each peer that has announced the key, or answers within a moment. */
  async search(key: Key, found: Found, signal: AbortSignal): Promise<void> {
    const now = performance.now()
    for (const { address, until } of this.#heard.get(hexOf(key))?.values() ?? []) if (until > now) found(address)
    const end = this.watch(key, found)
    try {
      if (this.#say(key)) await sleep(answerTimeout, { signal: signal })
    } finally {
      end()
    }
  }

  async #join(address: string): Promise<void> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.on('error', () => {})
    socket.on('message', (bytes, from) => this.#receive(bytes, from))
    const bound = await new Promise<boolean>((resolve) => {
      socket.once('listening', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.bind(localPort)
    })
    try {
      if (!bound) throw new Error('another program has the port and does not share it')
      socket.addMembership(localGroup, address)
      socket.setMulticastInterface(address)
      // Lets several peers on one machine hear each other.
      socket.setMulticastLoopback(true)
      socket.setMulticastTTL(1)
      socket.unref()
      this.#sockets.push(socket)
    } catch {
      socket.close()
    }
  }

  /** Announces the key, unless that happened too recently. Returns whether it was queued or is already waiting. */
  #say(key: Key): boolean {
    if (this.#sockets.length === 0) return false
    const name = hexOf(key)
    if (this.#waiting.has(name)) return true
    const now = performance.now()
    const said = this.#said.get(name) ?? { pause: firstPause, free: 0 }
    if (said.free > now) return false
    // It was not announced for a long while, so the pause starts over.
    if (now - said.free > longestPause) said.pause = firstPause
    if (this.#said.size >= maxSaid) this.#said.clear()
    this.#said.set(name, { pause: Math.min(said.pause * 2, longestPause), free: now + said.pause })
    this.#waiting.set(name, key)
    this.#gather ??= setTimeout(() => this.#flush(), gathering).unref()
    return true
  }

  #flush(): void {
    this.#gather = undefined
    while (this.#waiting.size > 0 && this.#sends.take(1)) {
      const keys = [...this.#waiting].slice(0, maxLocalKeys)
      for (const [name] of keys) this.#waiting.delete(name)
      const message = encodeLocal({ port: this.#init.port(), keys: keys.map(([, key]) => key), cookie: this.#cookie })
      for (const socket of this.#sockets) socket.send(message, localPort, localGroup, () => {})
    }
    if (this.#waiting.size > 0) this.#gather = setTimeout(() => this.#flush(), firstPause / sendRate).unref()
  }

  #renew(): void {
    const now = performance.now()
    for (const kept of this.#kept.values()) {
      if (kept.due > now) continue
      kept.due = now + renewalInterval
      this.#say(kept.key)
    }
  }

  #receive(bytes: Buffer, { address: host }: RemoteInfo): void {
    if (!this.#read.take(1) || !this.#init.gate.allows(host)) return
    const message = decodeLocal(bytes)
    if (message === undefined || message.cookie === this.#cookie) return
    const address = { host, port: message.port }
    for (const key of message.keys) this.#hear(key, address)
  }

  #hear(key: Key, address: Address): void {
    const name = hexOf(key)
    const kept = this.#kept.has(name)
    const watchers = this.#watchers.get(name)
    // Some keys are remembered without being asked for, because a search for them may follow soon.
    const known = this.#heard.get(name) ?? new Map()
    this.#heard.delete(name)
    this.#heard.set(name, known)
    known.delete(formatAddress(address))
    known.set(formatAddress(address), { address, until: performance.now() + heardLifetime })
    if (known.size > maxHeardOfOne) known.delete(known.keys().next().value ?? '')
    if (this.#heard.size > maxHeard) this.#heard.delete(this.#heard.keys().next().value ?? '')
    if (kept) this.#say(key)
    for (const found of watchers ?? []) found(address)
  }
}
