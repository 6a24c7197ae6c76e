import { connect, isIPv4, type Socket } from 'node:net'
import { errorMessage, giveUpAfter, untilAborted } from '@p2pl/core/backend'
import { failure } from '../../tools/failure.ts'
import { formatAddress, type Address } from '../../tools/address.ts'
import { isLoopback, type ProfileGate } from '@p2pl/embedded'
import type { Link } from './link.ts'
import type { Links } from './links.ts'
import { OpenError, type Opener } from './opener.ts'
import type { Place, Places } from './places.ts'

const connectTimeout = 3_000

export interface DiallerInit {
  /** This peer's id. */
  readonly id: string
  /** The address to dial from, if it is a single one: other peers see it and take it for the address to dial. */
  readonly localAddress: string | undefined
  readonly gate: ProfileGate
  readonly places: Places
  readonly opener: Opener
  readonly links: Links
}

/** Connects to addresses, within the limits of the gate and the places. */
export class Dialler {
  readonly #init: DiallerInit
  readonly #dials = new Map<string, Promise<Link>>()
  /** Own addresses. Some of them were found by dialling them. */
  readonly #own = new Set<string>()
  #stopped = false

  constructor(init: DiallerInit) {
    this.#init = init
  }

  stop(): void {
    this.#stopped = true
  }

  isOwn(address: Address): boolean {
    return this.#own.has(formatAddress(address))
  }

  addOwn(address: Address): void {
    this.#own.add(formatAddress(address))
  }

  /** Resolves with a link to the peer that listens at the address, an open one or a new one. Rejects with `UNREACHABLE`. */
  async dial(address: Address, signal: AbortSignal): Promise<Link> {
    const existing = this.#init.links.at(address)
    if (existing !== undefined) return existing
    const text = formatAddress(address)
    if (this.isOwn(address)) throw unreachable(`${text} leads to this peer itself`)
    let dial = this.#dials.get(text)
    if (dial === undefined) {
      dial = this.#dial(address, text).finally(() => this.#dials.delete(text))
      dial.catch(() => {})
      this.#dials.set(text, dial)
    }
    return await untilAborted(dial, signal)
  }

  /** Opens a connection for a torrent. It takes a place, and ends with the other connections. */
  async connect(address: Address): Promise<Socket> {
    const place = await this.#connect(address)
    place.torrent = true
    return place.socket
  }

  async #dial(address: Address, text: string): Promise<Link> {
    const { opener, links } = this.#init
    const place = await this.#connect(address)
    try {
      return await opener.open(place, address)
    } catch (cause) {
      const proven = cause instanceof OpenError ? cause.id : undefined
      if (proven === this.#init.id) this.addOwn(address)
      // Both sides dialled at once, and the other link is the one to keep.
      const kept = links.get(proven ?? '')
      if (kept !== undefined) return kept
      throw unreachable(`${text} does not answer as a peer of p2pl: ${errorMessage(cause)}`, cause)
    }
  }

  /** Packets from a loopback address do not leave the machine. */
  #from(host: string): { readonly localAddress?: string } {
    const { localAddress } = this.#init
    const fits = localAddress !== undefined && isIPv4(host) && isLoopback(localAddress) === isLoopback(host)
    return fits ? { localAddress } : {}
  }

  async #connect({ host, port }: Address): Promise<Place> {
    const text = formatAddress({ host, port })
    const { gate, places } = this.#init
    if (this.#stopped) throw unreachable('the backend has stopped')
    if (!gate.allows(host))
      throw unreachable(`the profile does not allow connections to ${text}: name it, or choose another profile`)
    if (places.full) throw unreachable('all places are taken: raise maxConnections')
    const socket = connect({ host, port, noDelay: true, ...this.#from(host) })
    socket.on('error', () => socket.destroy())
    const place = places.enter(socket, host, true) as Place
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = (): void => reject(new Error(`no answer within ${connectTimeout} ms`))
    const cancel = giveUpAfter(connectTimeout, late, { hold: true })
    socket.once('connect', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    try {
      await promise
      return place
    } catch (cause) {
      socket.destroy()
      throw unreachable(`${text} does not answer: ${errorMessage(cause)}`, cause)
    } finally {
      cancel()
      socket.off('connect', resolve)
      socket.off('error', reject)
    }
  }
}

function unreachable(message: string, cause?: unknown): Error {
  return failure({ code: 'UNREACHABLE', operation: 'dial', message, cause })
}
