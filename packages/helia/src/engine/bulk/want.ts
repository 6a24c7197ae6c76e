import type { CID } from 'multiformats/cid'
import type { Link } from './link.ts'

/** A block that this peer wants. */
export interface Want {
  readonly cid: CID
  /** Wants of one session queue behind each other, but not behind wants of other sessions. */
  readonly session: string
  /** Bytes that hash to the CID. */
  readonly found: (bytes: Uint8Array) => void
  /** Called when none of the linked peers has the block for now. */
  readonly nobody: () => void
  /** The peers that were asked to send it, the latest last. */
  readonly at: Link[]
  /** Peers that said that they lack it. */
  readonly lacking: Set<Link>
  /** Peers that said that they have it. */
  readonly having: Set<Link>
  /** Whether all other peers were asked whether they have it. */
  asked: boolean
  ended: boolean
}
