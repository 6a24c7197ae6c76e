import type { EngineEvent, Subscriber } from '@p2pl/core/backend'
import type { MemoryStore } from '@p2pl/memory'
import type { CID } from 'multiformats/cid'

/** A running backend, as the network sees it. */
export interface Endpoint {
  readonly id: string
  readonly store: MemoryStore
  /** The topics that it has joined. */
  readonly topics: Map<string, Required<Subscriber>>
  readonly report: (event: EngineEvent) => void
}

/** A block that an endpoint is looking for. */
export interface Want {
  readonly cid: CID
  /** Ask other hosts, as if the local store were empty. */
  readonly remote: boolean
  /** Ids of hosts that are asked first. */
  readonly hints: readonly string[]
  readonly maxBytes: number
}
