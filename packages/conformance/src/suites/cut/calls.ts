import type { Backend, Capabilities } from '@p2pl/core/backend'
import { whileCut } from '../../kit/check.ts'
import { routingOf } from '../../kit/parts.ts'
import type { TestRun } from '../../kit/test.ts'
import { outcomeOf, poll } from '../../kit/time.ts'

/** Whether the backend ever uses a network. */
export const networked = (c: Capabilities): boolean =>
  c.messages !== undefined || c.blocks?.remote === true || c.routing !== undefined

/** A signal for one call while the backend is cut off. It ends a call that waits for the network. */
export function brief(t: TestRun): AbortSignal {
  return AbortSignal.any([t.signal, AbortSignal.timeout(Math.ceil(Math.min(500, t.remaining() / 6)))])
}

/** Waits for at most `ms` until a backend lists no connection to the ids. Returns whether that is so. */
export async function hasNoticed(t: TestRun, ms: number, backend: Backend, ids: readonly string[]): Promise<boolean> {
  if ((t.capabilities.routing?.connect ?? 'none') === 'none') return true
  const gone = await poll(ms, async () => {
    const outcome = await outcomeOf(routingOf(backend).connections({ signal: brief(t) }))
    if ('value' in outcome) return outcome.value.some(({ id }) => ids.includes(id)) ? undefined : true
    whileCut(outcome.error, { backend, operation: 'routing.connections', codes: [] })
    return true
  })
  return gone === true
}
