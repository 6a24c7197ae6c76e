import { Channel } from '../../kit/channel.ts'
import { equal, wellFormed } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { outcomeOf, turn } from '../../kit/time.ts'
import { refusesFired } from './calls.ts'

/** Moments at which the signal may fire: at once, after a microtask, after a turn of the event loop. */
const moments: readonly (() => Promise<void> | undefined)[] = [() => undefined, () => Promise.resolve(), turn]

export const abortedMessages: readonly Test[] = [
  {
    name: 'publish with a signal that has fired sends nothing',
    when: (c) => c.messages !== undefined,
    run: async (t) => {
      const network = await t.shared('trio')
      const channel = await Channel.open(t, network, { subscribers: [1] })
      const payload = uniqueBytes(32)
      await refusesFired(t, network.at(0), 'messages.publish', async (signal) =>
        messagesOf(network.at(0)).publish(channel.topic, payload, { signal })
      )
      await channel.flush(0, [1])
      equal(channel.inbox(1).count(payload), 0, 'a publish that was aborted before it began does not arrive')
    }
  },
  {
    name: 'subscribe with a signal that has fired does not subscribe',
    when: (c) => c.messages !== undefined,
    run: async (t) => {
      const network = await t.shared('trio')
      const topic = uniqueName('topic')
      const inbox = new Inbox()
      await refusesFired(t, network.at(1), 'messages.subscribe', async (signal) =>
        messagesOf(network.at(1)).subscribe(topic, inbox, { signal })
      )
      const channel = await Channel.open(t, network, { topic, subscribers: [1] })
      await channel.flush(0, [1])
      equal(inbox.calls.length, 0, 'a subscribe that was aborted before it began gets nothing')
    }
  },
  {
    name: 'a subscribe that was aborted midway delivers nothing after its rejection',
    when: (c) => c.messages !== undefined,
    run: async (t) => {
      const network = await t.shared('trio')
      const backend = network.at(1)
      const topic = uniqueName('topic')
      const aborted: { inbox: Inbox; before: number }[] = []
      for (const moment of moments) {
        const inbox = new Inbox()
        const controller = new AbortController()
        const subscribing = outcomeOf(messagesOf(backend).subscribe(topic, inbox, { signal: controller.signal }))
        await moment()
        controller.abort()
        const outcome = await t.soon('subscribe ends soon after its signal fired', subscribing)
        if ('value' in outcome) await t.within('close() resolves', outcome.value.close())
        else wellFormed(outcome.error, { backend, operation: 'messages.subscribe', codes: ['ABORTED'] })
        aborted.push({ inbox, before: inbox.calls.length })
      }
      const channel = await Channel.open(t, network, { topic, subscribers: [1] })
      await channel.deliver(0, () => uniqueBytes(32), [1])
      await channel.flush(0, [1])
      for (const { inbox, before } of aborted)
        equal(inbox.calls.length, before, 'a subscription that was aborted or closed gets nothing')
    }
  },
  {
    name: 'a signal that fires after subscribe has resolved does not end the subscription',
    when: (c) => c.messages !== undefined,
    run: async (t) => {
      const network = await t.shared('trio')
      const channel = await Channel.open(t, network, { subscribers: [1] })
      const inbox = new Inbox()
      const controller = new AbortController()
      const subscription = await t.within(
        'subscribe resolves',
        messagesOf(network.at(1)).subscribe(channel.topic, inbox, { signal: controller.signal })
      )
      t.defer(async () => await subscription.close())
      controller.abort()
      await channel.deliver(0, () => uniqueBytes(32), [inbox])
    }
  }
]
