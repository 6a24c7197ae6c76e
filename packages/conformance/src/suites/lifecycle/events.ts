import { isP2plError } from '@p2pl/core/backend'
import { check, equal, fail, isNameOf, show } from '../../kit/check.ts'
import type { Test } from '../../kit/test.ts'
import { turn } from '../../kit/time.ts'

export const events: readonly Test[] = [
  {
    name: 'events are well-formed, name the backend, and end when stop has resolved',
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      await t.within('link() resolves', network.link())
      const backend = network.at(0)
      await t.within('stop resolves', backend.stop())
      const seen = network.events[0] ?? []
      const atStop = seen.length
      await t.within('the other stops', network.at(1).stop())
      await turn()
      equal(seen.length, atStop, 'no event comes after stop has resolved')
      for (const event of seen) {
        check(isNameOf(backend, event.backend), `the event ${event.type} names its backend`, event.backend)
        switch (event.type) {
          case 'peer:connect':
          case 'peer:disconnect':
            check(event.id.length > 0, `${event.type} has an id`, event)
            break
          case 'warning':
            check(event.message.length > 0, 'a warning has a message', event)
            break
          case 'degraded':
            check(isP2plError(event.error), 'the error of a degraded backend is a P2plError', event.error)
            break
          case 'recovered':
            break
          default:
            fail('an event has a type of the port', show(event))
        }
      }
    }
  }
]
