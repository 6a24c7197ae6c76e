import type { P2plError } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import type { Copy, KeepStatus } from './api.ts'

/** A copy at a peer or service. */
export interface Held {
  readonly kind: Copy['kind']
  /** When it last proved that it has the content, on the monotonic clock. */
  proven: number
  /** When it was last heard from. */
  heard: number
  /** Number of proofs in a row that it has failed to give although it was there. */
  failures: number
}

/** One CID that the app wants to keep. */
export class Kept {
  readonly cid: CID
  min: number
  max: number
  bytes: number | undefined
  readonly held: Map<string, Held> = new Map()
  /** The names of peers and services that failed, and when they may be asked again. */
  readonly failed: Map<string, number> = new Map()
  /** When to look for copies or to ask for proofs next. */
  due: number
  /** Whether copies from before the start of this process have been looked for. */
  sought = false
  why: KeepStatus['why'] = 'new'
  error: P2plError | undefined

  constructor(cid: CID, range: { readonly min: number; readonly max: number }, due: number) {
    this.cid = cid
    this.min = range.min
    this.max = range.max
    this.due = due
  }

  proved(name: string, kind: Copy['kind'], now: number): void {
    this.held.set(name, { kind, proven: now, heard: now, failures: 0 })
    this.failed.delete(name)
  }

  status(now: number, silentAfter: number, paused: boolean): KeepStatus {
    const copies = [...this.held].map(([by, { kind, proven, heard, failures }]): Copy => {
      const answers = kind === 'service' ? failures === 0 : now - heard <= silentAfter
      return { by, kind, age: now - proven, answers }
    })
    const { cid, min, max, bytes } = this
    const missing = Math.max(0, min - copies.length)
    const why = missing === 0 ? undefined : paused ? 'paused' : this.why
    return { cid, min, max, bytes, copies, missing, why, error: missing === 0 ? undefined : this.error }
  }
}
