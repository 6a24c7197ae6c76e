import type { CID } from 'multiformats/cid'
import type { AbortOptions } from '@p2pl/core/backend'

export interface ImportProgress {
  /** Bytes of the file that are stored here. */
  readonly bytes: number
  readonly total: number
}

export interface ImportResult {
  readonly cid: CID
  /** The torrent's name for the file. */
  readonly name: string
  /** Bytes. */
  readonly size: number
}

export interface ImportOptions extends AbortOptions {
  onProgress?: ((progress: ImportProgress) => void) | undefined
}
