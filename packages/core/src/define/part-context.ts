import type { Capabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
import type { OpenedBackend, SelfInfo } from '../port/definition.ts'
import type { Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { Joins } from './joins.ts'

/** What the parts of a backend are made with. */
export interface PartContext {
  readonly calls: Calls
  readonly checks: Checks
  /** The capabilities now: `start` may have refined them. */
  readonly capabilities: () => Capabilities
  readonly joins: () => Joins
  /** What the engine is known as, on each of its networks. */
  readonly selves: (engine: OpenedBackend) => readonly PeerInfo[]
  /** Tags what the engine says with its network. */
  readonly tagged: (peer: SelfInfo) => PeerInfo
}

/** A part that `start` has proven to be there. */
export function part<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a hook that the capabilities promise is missing')
  return value
}
