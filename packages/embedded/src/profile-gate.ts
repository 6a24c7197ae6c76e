import { isLoopback, isPrivate, plainHost } from './hosts.ts'

/**
 * Which hosts and peers a peer talks to:
 * - `closed`: its own machine, and hosts and peers that the user names.
 * - `lan`: also the local network.
 * - `public`: everybody.
 */
export type Profile = 'closed' | 'lan' | 'public'

export const profiles: readonly Profile[] = ['closed', 'lan', 'public']

const maxNamed = 10_000

/**
 * Decides which hosts and peers an engine may talk to, whatever the network says. A profile means the same for all
 * engines.
 */
export class ProfileGate {
  readonly profile: Profile
  /** Its size depends on what the user names, never on the network. */
  readonly #named = new Set<string>()

  constructor(profile: Profile) {
    this.profile = profile
  }

  /** The user named this host or engine-level peer id. */
  allow(name: string): void {
    if (this.#named.size < maxNamed) this.#named.add(plainHost(name))
  }

  /** The user withdraws the host or peer. */
  withdraw(name: string): void {
    this.#named.delete(plainHost(name))
  }

  /**
   * Whether the engine may talk to this host, or to the peer of this id on it. A name that is not local is allowed only
   * if the user gave it: other names are resolved first, and checked again as addresses.
   */
  allows(host: string | undefined, id?: string): boolean {
    if (this.profile === 'public') return true
    if (id !== undefined && this.#named.has(plainHost(id))) return true
    if (host === undefined) return false
    if (this.#named.has(plainHost(host))) return true
    return this.profile === 'lan' ? isPrivate(host) : isLoopback(host)
  }
}
