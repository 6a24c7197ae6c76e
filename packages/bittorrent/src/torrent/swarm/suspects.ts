/** Finds out which peer sends wrong pieces. Peers are identified by the names of their connections. */
export class Suspects {
  /** The peers that sent a part of a piece. Peers that are gone are included, because their bytes are still in it. */
  readonly #parts = new Map<number, Set<string>>()

  took(piece: number, peer: string): void {
    const peers = this.#parts.get(piece) ?? new Set()
    this.#parts.set(piece, peers.add(peer))
  }

  /** The piece was right. */
  clear(piece: number): void {
    this.#parts.delete(piece)
  }

  /**
   * The piece was wrong. If a single peer sent it, that peer has lied, and `lied` is called. If several peers did, all
   * of those that are connected, except one, must leave for a while: either the liar is then found out, or it is gone.
   */
  blame(
    piece: number,
    present: (peer: string) => boolean,
    lied: (peer: string) => void,
    leave: (peer: string) => void
  ): void {
    const peers = [...(this.#parts.get(piece) ?? [])]
    this.#parts.delete(piece)
    const [only] = peers
    if (peers.length === 1 && only !== undefined) return lied(only)
    const there = peers.filter(present)
    there.splice(Math.floor(Math.random() * there.length), 1)
    for (const peer of there) leave(peer)
  }
}
