import type { Link } from '../links/link.ts'

/** A block on its way from one peer. */
export interface Transfer {
  readonly link: Link
  readonly bytes: Uint8Array
  received: number
  timer: NodeJS.Timeout | undefined
}

export interface Offer {
  readonly link: Link
  readonly size: number
}

/** A block that this peer looks for. */
export class Want {
  readonly id: number
  readonly multihash: Uint8Array
  readonly asked: Set<Link> = new Set()
  /** Offers of peers that have the block and have not failed yet. */
  readonly offers: Offer[] = []
  readonly found: PromiseWithResolvers<Uint8Array> = Promise.withResolvers<Uint8Array>()
  transfer: Transfer | undefined
  users = 0

  constructor(id: number, multihash: Uint8Array) {
    this.id = id
    this.multihash = multihash
    this.found.promise.catch(() => {})
  }
}
