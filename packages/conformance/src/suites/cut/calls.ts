import type { Capabilities } from '@p2pl/core/backend'
import type { TestRun } from '../../kit/test.ts'

/** Whether the backend ever uses a network. */
export const networked = (c: Capabilities): boolean =>
  c.messages !== undefined || c.blocks?.remote === true || c.routing !== undefined

/** A signal for one call while the backend is cut off. It ends a call that waits for the network. */
export function brief(t: TestRun): AbortSignal {
  return AbortSignal.any([t.signal, AbortSignal.timeout(Math.ceil(Math.min(500, t.remaining() / 6)))])
}
