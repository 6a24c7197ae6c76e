import { type Clock, isP2plError, P2plError, untilAborted } from '@p2pl/core/backend'
import { judge } from './faults.ts'
import type { Leg } from './leg.ts'

/** A topic that nobody uses. */
const topic = 'p2pl/probe'

/** Makes small calls that a leg can answer by itself. Rejects when one fails, or has no answer within `timeout` ms. */
export async function probe({ backend, name, lastCid }: Leg, clock: Clock, timeout: number): Promise<void> {
  const end = new AbortController()
  const timer = clock.setTimeout(() => {
    const message = `${name} gives no answer within ${timeout} ms`
    end.abort(new P2plError({ code: 'TIMEOUT', backend: name, message }))
  }, timeout)
  const { signal } = end
  const { messages, blocks, routing } = backend
  const { capabilities } = backend
  try {
    backend.self()
    await Promise.all([
      asked('routing.connections', (capabilities.routing?.connect ?? 'none') !== 'none', () =>
        routing?.connections({ signal })
      ),
      asked('messages.peers', (capabilities.messages?.peers ?? 'none') !== 'none', () =>
        messages?.peers(topic, { signal })
      ),
      asked('blocks.has', lastCid !== undefined, () => lastCid && blocks?.has(lastCid, { signal }))
    ])
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    clock.clearTimeout(timer)
  }

  async function asked(operation: string, able: boolean, ask: () => Promise<unknown> | undefined): Promise<void> {
    if (!able) return
    try {
      await untilAborted(Promise.resolve(ask()), signal)
    } catch (error) {
      if (signal.aborted || judge(error, operation) !== 'sound' || !isP2plError(error)) throw error
    }
  }
}
