import type { Capabilities } from '../port/capabilities.ts'
import type { PeerInfo } from '../port/common.ts'
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
  /** Tags what the engine says with its network. */
  readonly tagged: (peer: { readonly id: string; readonly addresses: readonly string[] }) => PeerInfo
}

/** A part that `start` has proven to be there. */
export function part<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a hook that the capabilities promise is missing')
  return value
}
