import type { Backend } from '@p2pl/core/backend'
import { Channel } from '../../kit/channel.ts'
import { whileCut } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { idsOf, messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test, TestRun } from '../../kit/test.ts'
import { type Outcome, outcomeOf, turn } from '../../kit/time.ts'
import { portCalls, type Call } from '../calls.ts'
import { works } from '../lifecycle/calls.ts'
import { hasNoticed, networked } from './calls.ts'

interface Pending {
  readonly call: Call
  readonly outcome: Promise<Outcome<unknown>>
}

/** Prepares every call that the backend supports. The returned function makes all of them at once. */
async function everyCall(t: TestRun, backend: Backend, signal?: AbortSignal): Promise<() => Pending[]> {
  const supported = portCalls.filter((call) => call.supported(t.capabilities))
  const invokes = await Promise.all(supported.map(async (call) => ({ call, invoke: await call.prepare() })))
  return () => invokes.map(({ call, invoke }) => ({ call, outcome: outcomeOf(invoke(backend, signal)) }))
}

export const ends: readonly Test[] = [
  {
    name: 'every call while cut off ends by itself with a retryable error, or soon after its signal fired',
    when: networked,
    run: async (t) => {
      const network = await t.shared('pair')
      const backend = network.at(0)
      const controller = new AbortController()
      const begin = await everyCall(t, backend, controller.signal)
      await t.cut(network, 0)
      const pending = begin()
      await turn()
      controller.abort()
      await Promise.all(
        pending.map(async ({ call, outcome }) => {
          const ended = await t.soon(`${call.operation} ends soon after its signal fired`, outcome)
          if ('error' in ended) whileCut(ended.error, { backend, operation: call.operation, codes: call.fails })
        })
      )
    }
  },
  {
    name: 'stop while cut off resolves and ends every pending call, and the backend may be started again',
    when: networked,
    run: async (t) => {
      const network = await t.linked(2)
      const backend = network.at(0)
      if (t.capabilities.messages !== undefined)
        await t.within('subscribe resolves', messagesOf(backend).subscribe(uniqueName('topic'), new Inbox()))
      const begin = await everyCall(t, backend)
      const ids = idsOf(backend)
      const heal = await t.cut(network, 0)
      const pending = begin()
      await turn()
      await t.within('stop while cut off resolves', backend.stop())
      await Promise.all(
        pending.map(async ({ call, outcome }) => {
          const ended = await t.soon(`a pending ${call.operation} ends with stop`, outcome)
          const codes = ['NOT_RUNNING', ...call.fails] as const
          if ('error' in ended) whileCut(ended.error, { backend, operation: call.operation, codes })
        })
      )
      await heal({ link: false })
      // To connect to a peer that seems to be connected does nothing.
      await hasNoticed(t, (t.remaining() * 2) / 3, network.at(1), ids)
      await t.within('start after stop resolves', network.start(0))
      await t.within('link() resolves', network.link())
      await works(t, backend)
      if (t.capabilities.messages === undefined) return
      const channel = await Channel.open(t, network, { publishers: [1], subscribers: [0] })
      await channel.deliver(1, () => uniqueBytes(16), [0])
    }
  }
]
