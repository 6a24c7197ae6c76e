import { BoundedMap } from '@p2pl/core/backend'

/** What one sender has given and what it has cost without giving, both in bytes. */
interface Account {
  given: number
  wasted: number
  /** When `wasted` was last brought up to date. */
  at: number
}

export interface StandingsOptions {
  readonly now: () => number
  /** Milliseconds in which half of what a sender wasted is forgiven. */
  readonly halfLife: number
  /** Most bytes that count as given: a sender can waste that much before it is a stranger again. */
  readonly maxGiven: number
  /** Accounts kept of each class. */
  readonly remembered: number
}

/**
 * Which senders deserve trust. Identities are free, so a sender begins as a *stranger*; it is *known* once it has given more than it
 * has wasted. Strangers share what is left for them as a class, so inventing identities takes nothing from known senders, and a flood of
 * new strangers makes nobody forget a known one.
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

  /** Something new and valid came thanks to this sender. */
  gave(sender: string, bytes: number): void {
    this.#update(sender, bytes, 0)
  }

  /** Work was done because of this sender, and nothing came of it. */
  wasted(sender: string, bytes: number): void {
    this.#update(sender, 0, bytes)
  }

  isKnown(sender: string): boolean {
    const account = this.#known.get(sender)
    if (account === undefined) return false
    this.#forgive(account)
    return account.given > account.wasted
  }

  /** The share of a sender in a choice among senders of its class: 1 for one that wasted nothing, less the more it did. */
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
    // A sender that ever gave keeps its place among the known ones, so that a flood of strangers does not push out what it gave.
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
