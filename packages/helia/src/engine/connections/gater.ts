import type { Multiaddr } from '@multiformats/multiaddr'
import { ProfileGate, type Profile } from '@p2pl/embedded'

/** What a profile means for multiaddrs. */
export class Gater {
  readonly #gate: ProfileGate
  /** Peers that the user named: they may be anywhere. */
  readonly #named = new Set<string>()

  constructor(profile: Profile, named: readonly string[]) {
    this.#gate = new ProfileGate(profile)
    for (const id of named) this.name(id)
  }

  name(id: string): void {
    this.#named.add(id)
    this.#gate.allow(id)
  }

  isNamed(id: string): boolean {
    return this.#named.has(id)
  }

  /** The user no longer wants the peer. */
  withdraw(id: string): void {
    this.#named.delete(id)
    this.#gate.withdraw(id)
  }

  /** Relayed connections are limited: topics and blocks do not run over them, only the agreement on a better one. */
  allowsDial(address: Multiaddr): boolean {
    return isRelayed(address) === isWebRtc(address) && this.#allows(address)
  }

  /** Only the other side says where an agreement through a relay leads: the relay's host, or the peer, must be allowed. */
  allowsInbound(remote: Multiaddr): boolean {
    return !isRelayed(remote) || this.#allows(remote)
  }

  #allows(address: Multiaddr): boolean {
    return this.#gate.allows(hostOf(address), peerIdOf(address))
  }
}

export function peerIdOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value
}

function isRelayed(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit')
}

function isWebRtc(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'webrtc')
}

/** A relayed address leads first to the relay: its host counts. Zones (ip6zone) stand before the host. */
function hostOf(address: Multiaddr): string | undefined {
  return address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6' || name.startsWith('dns'))?.value
}
