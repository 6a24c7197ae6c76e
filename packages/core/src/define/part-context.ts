import type { Capabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
import type { OpenedBackend, SelfInfo } from '../port/definition.ts'
import type { Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { Joins } from './joins.ts'

/** What all parts of a backend share. */
export interface PartContext {
  readonly calls: Calls
  readonly checks: Checks
  /** The current capabilities, which `start` may have refined. */
  readonly capabilities: () => Capabilities
  readonly joins: () => Joins
  /** The ids and addresses of the engine on each of its networks. */
  readonly selves: (engine: OpenedBackend) => readonly PeerInfo[]
  /** Adds the network's name to an id and addresses from the engine. */
  readonly tagged: (peer: SelfInfo) => PeerInfo
}

/** A part that exists, as `start` has checked. */
export function part<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a hook that the capabilities promise is missing')
  return value
}
