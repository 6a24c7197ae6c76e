import type { Capabilities } from '../port/capabilities.ts'
import type { MessageTransport } from '../port/messages.ts'
import { part, type PartContext } from './part-context.ts'

export function messagePart({ calls, checks, capabilities, joins }: PartContext): MessageTransport {
  const declared = (): NonNullable<Capabilities['messages']> =>
    capabilities().messages as NonNullable<Capabilities['messages']>
  return {
    publish: (topic, payload, options) =>
      calls.call('messages.publish', options, ({ messages }, hook) => {
        checks.topic('messages.publish', topic)
        checks.payload('messages.publish', payload, declared().maxMessageBytes)
        return part(messages).publish(topic, payload, hook)
      }),
    subscribe: (topic, subscriber, options) =>
      calls.call('messages.subscribe', options, async (_engine, hook) => {
        checks.topic('messages.subscribe', topic)
        return await joins().subscribe(topic, subscriber, hook)
      }),
    peers: (topic, options) =>
      calls.call('messages.peers', options, async ({ messages }, hook) => {
        checks.topic('messages.peers', topic)
        if (declared().peers === 'none')
          throw checks.unsupported('messages.peers', 'cannot tell who listens to a topic')
        return await part(part(messages).peers?.(topic, hook))
      })
  }
}
