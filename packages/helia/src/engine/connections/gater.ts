import type { Multiaddr } from '@multiformats/multiaddr'
import { ProfileGate, type Profile } from '@p2pl/embedded'

/** Applies a profile to multiaddrs. */
export class Gater {
  readonly #gate: ProfileGate
  /** Peers that the user named. They may have any address. */
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

  /** Relayed connections are limited. They carry no topics and blocks, only the signalling for a better connection. */
  allowsDial(address: Multiaddr): boolean {
    return isRelayed(address) === isWebRtc(address) && this.#allows(address)
  }

  /** Only the other side knows where signalling through a relay leads, so the relay's host or the peer must be allowed. */
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

/**
 * The host of an address. A relayed address leads to its relay first, so this is the relay's host. A zone (ip6zone)
 * comes before the host.
 */
function hostOf(address: Multiaddr): string | undefined {
  return address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6' || name.startsWith('dns'))?.value
}
