import { isLoopback, isPrivate, plainHost } from './hosts.ts'

/**
 * With whom a peer talks:
 * - `closed`: with its own machine, and with hosts and peers that the user names.
 * - `lan`: also with the local network.
 * - `public`: with everybody.
 */
export type Profile = 'closed' | 'lan' | 'public'

export const profiles: readonly Profile[] = ['closed', 'lan', 'public']

const maxNamed = 10_000

/** Decides with which hosts and peers an engine talks at all, whatever the network says. One meaning for all engines. */
export class ProfileGate {
  readonly profile: Profile
  /** Bounded by what the user names, never by what the network says. */
  readonly #named = new Set<string>()

  constructor(profile: Profile) {
    this.profile = profile
  }

  /** The user named this host or engine-level peer id. */
  allow(name: string): void {
    if (this.#named.size < maxNamed) this.#named.add(plainHost(name))
  }

  /** The user no longer wants it. */
  withdraw(name: string): void {
    this.#named.delete(plainHost(name))
  }

  /**
   * Whether the engine may talk with this host, or with the peer of this id on it. A name that is not local is allowed only when
   * the user gave it: other names are resolved first, and asked for again as addresses.
   */
  allows(host: string | undefined, id?: string): boolean {
    if (this.profile === 'public') return true
    if (id !== undefined && this.#named.has(plainHost(id))) return true
    if (host === undefined) return false
    if (this.#named.has(plainHost(host))) return true
    return this.profile === 'lan' ? isPrivate(host) : isLoopback(host)
  }
}
