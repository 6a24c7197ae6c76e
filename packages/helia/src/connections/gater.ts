import type { PeerInfo } from '@p2pl/core/backend'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Profile } from '../options.ts'

/** Where a profile lets the node dial. */
export class Gater {
  readonly #profile: Profile
  /** Peers that the user named: they may be anywhere. Bounded by what the user names, never by what the network says. */
  readonly #given = new Map<string, Set<string>>()

  constructor(profile: Profile, bootstrap: readonly Multiaddr[]) {
    this.#profile = profile
    for (const address of bootstrap) {
      const id = peerIdOf(address)
      if (id !== undefined) this.give({ id, addresses: [address.toString()] })
    }
  }

  give(peer: PeerInfo): void {
    this.#given.set(peer.id, new Set(peer.addresses))
  }

  /** Whether the user named the peer. */
  isGiven(id: string): boolean {
    return this.#given.has(id)
  }

  withdraw(id: string): void {
    this.#given.delete(id)
  }

  /** Relayed connections are limited: topics and blocks do not run over them, only the agreement on a better one. */
  allowsDial(address: Multiaddr): boolean {
    return isRelayed(address) === isWebRtc(address) && this.#allows(address)
  }

  /** Nobody but the other side says where an agreement through a relay leads: who that is, or where the relay is, must be allowed. */
  allowsInbound(remote: Multiaddr): boolean {
    return !isRelayed(remote) || this.#allows(remote)
  }

  #allows(address: Multiaddr): boolean {
    if (this.#profile === 'public') return true
    const id = peerIdOf(address)
    if (id !== undefined && this.isGiven(id)) return true
    const host = hostOf(address)
    if (host === undefined) return false
    return isLoopback(host) || (this.#profile === 'lan' && isPrivate(host))
  }
}

function isRelayed(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit')
}

function isWebRtc(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'webrtc')
}

function peerIdOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value
}

interface Host {
  readonly kind: 'ip4' | 'ip6' | 'dns'
  readonly value: string
}

function hostOf(address: Multiaddr): Host | undefined {
  // A relayed address leads first to the relay: its host counts. Zones (ip6zone) stand before the host.
  for (const { name, value } of address.getComponents()) {
    if (value === undefined) continue
    if (name === 'ip4' || name === 'ip6') return { kind: name, value: value.toLowerCase() }
    if (name.startsWith('dns')) return { kind: 'dns', value: value.toLowerCase() }
  }
  return undefined
}

function isLoopback({ kind, value }: Host): boolean {
  if (kind === 'ip4') return value.startsWith('127.')
  if (kind === 'ip6') return value === '::1' || value === '0:0:0:0:0:0:0:1' || value.startsWith('::ffff:127.')
  // Other names are resolved before they are dialled, and come back here as addresses.
  return value === 'localhost'
}

function isPrivate({ kind, value }: Host): boolean {
  if (kind === 'ip6') return /^f[cd][0-9a-f]{2}:/.test(value) || /^fe[89ab][0-9a-f]:/.test(value)
  if (kind !== 'ip4') return value.endsWith('.local')
  const [a, b] = value.split('.').map(Number)
  return (
    a === 10 ||
    (a === 172 && b !== undefined && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254)
  )
}
