import { isLoopback, isPrivate, plainHost } from './address.ts'
import type { Profile } from '../options.ts'

/** Decides with which hosts this peer talks at all, however it has come to know them. */
export class Gate {
  readonly #profile: Profile
  readonly #given = new Set<string>()

  constructor(profile: Profile, given: Iterable<string>) {
    this.#profile = profile
    for (const host of given) this.#given.add(plainHost(host))
  }

  /** A person or the app named this host. */
  give(host: string): void {
    if (this.#given.size < 10_000) this.#given.add(plainHost(host))
  }

  allows(host: string): boolean {
    const plain = plainHost(host)
    if (this.#profile === 'public' || this.#given.has(plain)) return true
    return this.#profile === 'lan' ? isPrivate(plain) : isLoopback(plain)
  }
}
