import { BoundedMap } from '@p2pl/core/backend'

/** What one sender has given, and what it has cost without giving anything, in bytes. */
interface Account {
  given: number
  wasted: number
  /** When `wasted` was last updated. */
  at: number
}

export interface StandingsOptions {
  readonly now: () => number
  /** Half of what a sender wasted is forgiven after this many milliseconds. */
  readonly halfLife: number
  /** The most bytes that count as given: a sender can waste that much before it becomes a stranger again. */
  readonly maxGiven: number
  /** How many accounts are kept per class. */
  readonly remembered: number
}

/**
 * Which senders deserve trust. Identities are free, so a sender begins as a *stranger*. It is *known* once it has given
 * more than it has wasted. All strangers together share a fixed part, so invented identities take nothing from known
 * senders, and a flood of new strangers does not displace a known sender.
 */
export class Standings {
  readonly #options: StandingsOptions
  readonly #known: BoundedMap<string, Account>
  readonly #strangers: BoundedMap<string, Account>

  constructor(options: StandingsOptions) {
    this.#options = options
    this.#known = new BoundedMap(options.remembered)
    this.#strangers = new BoundedMap(options.remembered)
  }

  /** This sender brought something new and valid. */
  gave(sender: string, bytes: number): void {
    this.#update(sender, bytes, 0)
  }

  /** Work that this sender caused had no result. */
  wasted(sender: string, bytes: number): void {
    this.#update(sender, 0, bytes)
  }

  isKnown(sender: string): boolean {
    const account = this.#known.get(sender)
    if (account === undefined) return false
    this.#forgive(account)
    return account.given > account.wasted
  }

  /**
   * The weight of a sender in a random choice among its class: 1 for a sender that wasted nothing, less for one that
   * wasted more.
   */
  weight(sender: string): number {
    const account = this.#known.get(sender) ?? this.#strangers.get(sender)
    if (account === undefined) return 1
    this.#forgive(account)
    return 1 / (1 + account.wasted / (16 * 1024))
  }

  #update(sender: string, given: number, wasted: number): void {
    const before = this.#known.get(sender) ?? this.#strangers.get(sender)
    const account = before ?? { given: 0, wasted: 0, at: this.#options.now() }
    this.#forgive(account)
    account.given = Math.min(account.given + given, this.#options.maxGiven)
    account.wasted += wasted
    // A sender that ever gave anything keeps its place among the known ones, so that a flood of strangers does not
    // erase what it gave.
    if (account.given > 0) {
      this.#strangers.delete(sender)
      this.#known.set(sender, account)
    } else this.#strangers.set(sender, account)
  }

  #forgive(account: Account): void {
    const now = this.#options.now()
    if (account.wasted > 0) account.wasted *= 0.5 ** ((now - account.at) / this.#options.halfLife)
    account.at = now
  }
}
