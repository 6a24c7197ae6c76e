/** Finds out which peer sends wrong pieces. Peers are known by the names of their connections. */
export class Suspects {
  /** The peers that had a part in a piece, also when they are gone: their bytes are still in it. */
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
   * The piece was wrong. A peer that sent it alone has lied, and `lied` is called. Where several had a part in it, all of those
   * that are present but one are to leave for a while: so the liar is found out, or all is well without it.
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
