import { Channel } from '../../kit/channel.ts'
import { equal, wellFormed } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { blocksOf, messagesOf } from '../../kit/parts.ts'
import { rawBlock, uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { outcomeOf } from '../../kit/time.ts'
import { portCalls } from '../calls.ts'

export const stopping: readonly Test[] = [
  {
    name: 'stop leaves no call pending',
    run: async (t) => {
      const network = await t.fresh(1)
      await network.start(0)
      const backend = network.at(0)
      const under = portCalls.filter(({ supported }) => supported(t.capabilities))
      const invokes = await Promise.all(under.map(async (call) => ({ call, invoke: await call.prepare() })))
      const pending = invokes.map(async ({ call, invoke }) => ({ call, outcome: await outcomeOf(invoke(backend)) }))
      await t.within('stop resolves while calls are under way', backend.stop())
      const ended = await t.soon('every call that was under way at stop ends', Promise.all(pending))
      for (const { call, outcome } of ended) {
        const codes = ['NOT_RUNNING', 'ABORTED', ...call.fails] as const
        if ('error' in outcome) wellFormed(outcome.error, { backend, operation: call.operation, codes })
      }
    }
  },
  {
    name: 'an iteration under way ends when the backend stops',
    when: (c) => c.blocks !== undefined && c.blocks.gc !== 'none',
    run: async (t) => {
      const network = await t.fresh(1)
      await network.start(0)
      const backend = network.at(0)
      await blocksOf(backend).putMany([await rawBlock(), await rawBlock(), await rawBlock()])
      const iterator = blocksOf(backend).gc()[Symbol.asyncIterator]()
      await t.within('gc yields', iterator.next())
      await t.within('stop resolves while an iteration is open', backend.stop())
      await t.within(
        'an open iteration ends after stop',
        (async () => {
          while ((await iterator.next()).done !== true);
        })().catch((error: unknown) =>
          wellFormed(error, { backend, operation: 'blocks.gc', codes: ['NOT_RUNNING', 'ABORTED'] })
        )
      )
    }
  },
  {
    name: 'subscriptions end with stop: a restarted backend does not call their subscribers',
    when: (c) => c.messages !== undefined,
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      const backend = network.at(1)
      const topic = uniqueName('topic')
      const inbox = new Inbox()
      const subscription = await messagesOf(backend).subscribe(topic, inbox)
      await t.within('stop resolves', backend.stop())
      const before = inbox.calls.length
      await t.within('it starts again', network.start(1))
      await t.within('link() resolves', network.link())
      const channel = await Channel.open(t, network, { topic, subscribers: [1] })
      await channel.deliver(0, () => uniqueBytes(16), [1])
      equal(inbox.calls.length, before, 'a subscriber from before stop is not called')
      await t.within('close() of a subscription from before stop resolves', subscription.close())
    }
  }
]
