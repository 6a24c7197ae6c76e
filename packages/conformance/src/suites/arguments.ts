import type { Backend, Capabilities } from '@p2pl/core/backend'
import { Channel } from '../kit/channel.ts'
import { anyError, check, rejects, show } from '../kit/check.ts'
import { Inbox } from '../kit/inbox.ts'
import { blocksOf, messagesOf, routingOf, selfOf } from '../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../kit/samples.ts'
import type { Suite, Test } from '../kit/test.ts'
import { collect, outcomeOf } from '../kit/time.ts'
import { portCalls } from './calls.ts'

const oddIds = [' ', 'nobody', '../../etc/passwd', '\u0000', 'é'.repeat(500), '12D3KooW', '__proto__']
const oddAddresses = [[], ['not an address'], ['/ip4/999.0.0.1/tcp/99999', 'host:port', '\n', 'x'.repeat(500)]]

/** Values of the wrong kind, as an untyped caller may pass them. */
const wrongKinds = [undefined, null, 5, 'text', {}, [], Symbol('symbol')] as never[]
const wrongIds = [undefined, null, 5, '', 'x'.repeat(513), {}, []] as never[]

type Attempt = (backend: Backend, value: never) => Promise<unknown>

/** Each call with one argument of the wrong kind. */
const attempts: Readonly<Record<string, readonly [values: never[], call: Attempt]>> = {
  'messages.publish': [wrongKinds, (b, value) => messagesOf(b).publish(uniqueName('topic'), value)],
  'messages.subscribe': [
    wrongKinds.filter((kind) => kind !== 'text'),
    (b, value) => messagesOf(b).subscribe(value, new Inbox())
  ],
  'messages.peers': [wrongKinds.filter((kind) => kind !== 'text'), (b, value) => messagesOf(b).peers(value)],
  'blocks.get': [wrongKinds, (b, value) => blocksOf(b).get(value)],
  'blocks.putMany': [wrongKinds.filter((kind) => !Array.isArray(kind)), (b, value) => blocksOf(b).putMany(value)],
  'blocks.has': [wrongKinds, (b, value) => blocksOf(b).has(value)],
  'blocks.delete': [wrongKinds, (b, value) => blocksOf(b).delete(value)],
  'blocks.pin': [wrongKinds, (b, value) => blocksOf(b).pin(value)],
  'blocks.unpin': [wrongKinds, (b, value) => blocksOf(b).unpin(value)],
  'routing.provide': [wrongKinds, (b, value) => routingOf(b).provide(value)],
  'routing.unprovide': [wrongKinds, (b, value) => routingOf(b).unprovide(value)],
  'routing.findProviders': [wrongKinds, (b, value) => collect(() => routingOf(b).findProviders(value))],
  'routing.findPeer': [wrongIds, (b, value) => routingOf(b).findPeer(value)],
  'routing.connect': [wrongKinds, (b, value) => routingOf(b).connect(value)],
  'routing.disconnect': [wrongIds, (b, value) => routingOf(b).disconnect(value)]
}

const connecting = (c: Capabilities): boolean => c.routing !== undefined && c.routing.connect !== 'none'

export const argumentsOfCalls: Suite = {
  name: 'arguments',
  tests: [
    ...portCalls
      .filter(({ operation }) => attempts[operation] !== undefined)
      .map(({ operation, supported }): Test => ({
        name: `${operation} with an argument of the wrong kind rejects with INVALID_ARGUMENT`,
        when: supported,
        run: async (t) => {
          const backend = (await t.shared('trio')).at(0)
          const [values, call] = attempts[operation] ?? [[], async () => undefined]
          for (const value of values)
            await t.soon(
              `${operation} rejects at once`,
              rejects(() => call(backend, value), { backend, operation, codes: ['INVALID_ARGUMENT'] })
            )
        }
      })),
    {
      name: 'findPeer of a text that is no id rejects with a typed error',
      when: (c) => c.routing !== undefined && c.routing.findPeer !== 'none',
      run: async (t) => {
        const backend = (await t.shared('trio')).at(0)
        for (const id of oddIds) {
          const outcome = await t.within(
            'findPeer ends',
            outcomeOf(routingOf(backend).findPeer(id, { signal: t.signal }))
          )
          check('error' in outcome, `findPeer of ${show(id)} rejects`, outcome)
          anyError(outcome.error, backend, 'routing.findPeer')
        }
      }
    },
    {
      name: 'connect to a text that is no address rejects with a typed error, and disconnect of a stranger ends',
      when: connecting,
      run: async (t) => {
        const backend = (await t.shared('trio')).at(0)
        const { network } = selfOf(backend)
        for (const addresses of oddAddresses) {
          const peer = { network, id: 'nobody', addresses }
          const outcome = await t.within(
            'connect ends',
            outcomeOf(routingOf(backend).connect(peer, { signal: t.signal }))
          )
          check('error' in outcome, `connect to ${show(peer)} rejects`, outcome)
          anyError(outcome.error, backend, 'routing.connect')
        }
        for (const id of oddIds) {
          const outcome = await t.within('disconnect ends', outcomeOf(routingOf(backend).disconnect(id)))
          if ('error' in outcome) anyError(outcome.error, backend, 'routing.disconnect')
        }
      }
    },
    {
      name: 'a payload that is a view into a larger buffer is taken as the view',
      when: (c) => c.messages !== undefined,
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1] })
        await channel.deliver(0, () => uniqueBytes(64).subarray(16, 48), [1])
      }
    }
  ]
}
