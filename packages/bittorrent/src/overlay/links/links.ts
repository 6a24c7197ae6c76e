import type { Address } from '../../tools/address.ts'
import { formatAddress } from '../../tools/address.ts'
import type { Link } from './link.ts'

/** Two links between the same peers that were opened within this time were dialled at once, by both. */
const crossing = 2_000

/** A part that has to know which links there are. */
export interface LinkListener {
  /** `former`: the link to the same peer, of which this one takes the place. */
  opened?(link: Link, former: Link | undefined): void
  /** `replaced`: another link to the same peer is open. */
  closed?(link: Link, replaced: boolean): void
}

/** The links of a peer: at most one to each other peer. */
export class Links {
  readonly #id: string
  readonly #links = new Map<string, Link>()
  readonly #listeners: LinkListener[] = []

  /** `id`: the own one. */
  constructor(id: string) {
    this.#id = id
  }

  /** Parts are told in the order in which they asked. */
  tell(listener: LinkListener): void {
    this.#listeners.push(listener)
  }

  /** Those that are open. */
  all(): Link[] {
    return [...this.#links.values()].filter(({ open }) => open)
  }

  get(id: string): Link | undefined {
    const link = this.#links.get(id)
    return link?.open === true ? link : undefined
  }

  at(address: Address): Link | undefined {
    const text = formatAddress(address)
    return this.all().find((link) => link.address !== undefined && formatAddress(link.address) === text)
  }

  /** Whether the link is the one to keep. A former one to the same peer then ends, once what is under way on it has arrived. */
  enter(link: Link): boolean {
    const former = this.#links.get(link.id)
    if (former !== undefined && !this.#replaces(link, former)) return false
    this.#links.set(link.id, link)
    for (const listener of this.#listeners) listener.opened?.(link, former)
    former?.close()
    return true
  }

  /** The link has closed, and everything it brought was handled. */
  leave(link: Link): void {
    const replaced = this.#links.get(link.id) !== link
    if (!replaced) this.#links.delete(link.id)
    for (const listener of this.#listeners) listener.closed?.(link, replaced)
  }

  /**
   * Where both have dialled at once, both ends keep the link that the smaller id dialled. Otherwise the newer one: the peer has
   * proven who it is, and it would not dial if the former link still worked for it.
   */
  #replaces(link: Link, former: Link): boolean {
    const crossed = former.open && former.outgoing !== link.outgoing && link.openedAt - former.openedAt < crossing
    return !crossed || link.outgoing === this.#id < link.id
  }
}
