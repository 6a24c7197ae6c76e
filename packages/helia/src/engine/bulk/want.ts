import type { CID } from 'multiformats/cid'
import type { Link } from './link.ts'

/** A block that is wanted here. */
export interface Want {
  readonly cid: CID
  /** Wants of one session wait behind each other, and not behind those of others. */
  readonly session: string
  /** Bytes that hash to the CID. */
  readonly found: (bytes: Uint8Array) => void
  /** None of the linked peers has it, for now. */
  readonly nobody: () => void
  /** The peers that were asked to send it, the last one last. */
  readonly at: Link[]
  /** Peers that say that they lack it. */
  readonly lacking: Set<Link>
  /** Peers that say that they have it. */
  readonly having: Set<Link>
  /** Whether all the others were asked whether they have it. */
  asked: boolean
  ended: boolean
}
