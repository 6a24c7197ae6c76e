import type { PeerInfo } from '@p2pl/core/backend'
import { anyError, check } from '../kit/check.ts'
import { routingOf } from '../kit/parts.ts'
import type { Suite } from '../kit/test.ts'

const oddIds = ['', ' ', 'nobody', '../../etc/passwd', '\u0000', 'é'.repeat(600), '12D3KooW', '__proto__']
const oddPeers: readonly PeerInfo[] = [
  { id: 'nobody', addresses: ['not an address'] },
  { id: '', addresses: [] },
  { id: 'nobody', addresses: ['/ip4/999.0.0.1/tcp/99999', 'host:port', '\n', 'x'.repeat(2000)] }
]

export const hostile: Suite = {
  name: 'arguments from strangers',
  tests: [
    {
      name: 'findPeer of a text that is no id rejects with a typed error',
      when: (c) => c.routing !== undefined && c.routing.findPeer !== 'none',
      run: async (t) => {
        const backend = (await t.shared('trio')).at(0)
        for (const id of oddIds) {
          const outcome = await t.within(
            'findPeer ends',
            routingOf(backend)
              .findPeer(id, { signal: t.signal })
              .then(
                (value: unknown) => ({ value }),
                (error: unknown) => ({ error })
              )
          )
          check('error' in outcome, `findPeer of ${JSON.stringify(id.slice(0, 20))} rejects`, outcome)
          anyError(outcome.error, backend, 'routing.findPeer')
        }
      }
    },
    {
      name: 'connect to a text that is no address rejects with a typed error, and disconnect of a stranger ends',
      when: (c) => c.routing !== undefined && c.routing.connect !== 'none',
      run: async (t) => {
        const backend = (await t.shared('trio')).at(0)
        for (const peer of oddPeers) {
          const outcome = await t.within(
            'connect ends',
            routingOf(backend)
              .connect(peer, { signal: t.signal })
              .then(
                (value: unknown) => ({ value }),
                (error: unknown) => ({ error })
              )
          )
          check('error' in outcome, `connect to ${JSON.stringify(peer).slice(0, 60)} rejects`, outcome)
          anyError(outcome.error, backend, 'routing.connect')
        }
        for (const id of oddIds) {
          const failure = await t.within(
            'disconnect ends',
            routingOf(backend)
              .disconnect(id)
              .then(
                () => undefined,
                (error: unknown) => ({ error })
              )
          )
          if (failure !== undefined) anyError(failure.error, backend, 'routing.disconnect')
        }
      }
    }
  ]
}
