import type { Address } from '../../tools/address.ts'
import { formatAddress } from '../../tools/address.ts'
import type { Link } from './link.ts'

/** If two links between the same peers open within this time (ms), both sides dialled at once. */
const crossing = 2_000

/** A part that needs to know the links. */
export interface LinkListener {
  /** `former`: the link to the same peer that this one replaces. */
  opened?(link: Link, former: Link | undefined): void
  /** `replaced`: whether another link to the same peer is open. */
  closed?(link: Link, replaced: boolean): void
}

/** The links of this peer: at most one to each other peer. */
export class Links {
  readonly #id: string
  readonly #links = new Map<string, Link>()
  readonly #listeners: LinkListener[] = []

  /** `id`: this peer's id. */
  constructor(id: string) {
    this.#id = id
  }

  /** Registers a part. Parts are told in the order of their registration. */
  tell(listener: LinkListener): void {
    this.#listeners.push(listener)
  }

  /** The open links. */
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

  /**
   * Returns whether the link is the one to keep. A former link to the same peer then ends, once its data in transit has
   * arrived.
   */
  enter(link: Link): boolean {
    const former = this.#links.get(link.id)
    if (former !== undefined && !this.#replaces(link, former)) return false
    this.#links.set(link.id, link)
    for (const listener of this.#listeners) listener.opened?.(link, former)
    former?.close()
    return true
  }

  /** The link has closed and everything that it brought was handled. */
  leave(link: Link): void {
    const replaced = this.#links.get(link.id) !== link
    if (!replaced) this.#links.delete(link.id)
    for (const listener of this.#listeners) listener.closed?.(link, replaced)
  }

  /**
   * If both sides dialled at once, both keep the link that the peer with the smaller id dialled. Otherwise the newer
   * link stays: the peer has proved who it is, and would not dial if the former link still worked for it.
   */
  #replaces(link: Link, former: Link): boolean {
    const crossed = former.open && former.outgoing !== link.outgoing && link.openedAt - former.openedAt < crossing
    return !crossed || link.outgoing === this.#id < link.id
  }
}
