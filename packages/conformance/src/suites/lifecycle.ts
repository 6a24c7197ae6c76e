import type { Backend } from '@p2pl/core/backend'
import { Channel } from '../kit/channel.ts'
import { check, equal, fail, rejects, show, wellFormed } from '../kit/check.ts'
import { Inbox } from '../kit/inbox.ts'
import { blocksOf, messagesOf, routingOf, type Suite, type TestRun } from '../kit/kit.ts'
import { rawBlock, uniqueBytes, uniqueName } from '../kit/samples.ts'
import { collect, turn } from '../kit/time.ts'
import { calls } from './calls.ts'

async function everyCallIsRefused(t: TestRun, backend: Backend): Promise<void> {
  for (const call of calls.filter(({ supported }) => supported(t.capabilities))) {
    const invoke = await call.prepare()
    await t.within(
      `${call.operation} is refused at once`,
      rejects(() => invoke(backend), { backend, operation: call.operation, codes: ['NOT_RUNNING'] })
    )
  }
  try {
    backend.self()
  } catch (error) {
    wellFormed(error, { backend, operation: 'self', codes: ['NOT_RUNNING'] })
    return
  }
  fail('self() throws NOT_RUNNING while the backend does not run', 'it returned')
}

/** One small thing of each part works. */
async function works(t: TestRun, backend: Backend): Promise<void> {
  check(backend.self().id.length > 0, 'a running backend has an id', backend.self())
  if (t.capabilities.blocks !== undefined) {
    const block = await rawBlock()
    await t.within('put resolves', blocksOf(backend).put(block, { signal: t.signal }))
    equal(await t.within('has resolves', blocksOf(backend).has(block.cid)), true, 'has() is true after put')
  }
  if (t.capabilities.messages !== undefined) {
    const subscription = await t.within(
      'subscribe resolves',
      messagesOf(backend).subscribe(uniqueName('works'), new Inbox(), { signal: t.signal })
    )
    await t.within('close resolves', subscription.close())
  }
}

export const lifecycle: Suite = {
  name: 'lifecycle',
  tests: [
    {
      name: 'before start every call rejects with NOT_RUNNING',
      run: async (t) => {
        const network = await t.fresh(1)
        await everyCallIsRefused(t, network.at(0))
      }
    },
    {
      name: 'start is idempotent, and concurrent calls share one start',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        const first = network.start(0)
        await t.within('a second concurrent start resolves', backend.start())
        await works(t, backend)
        await t.within('the first start resolves', first)
        const { id } = backend.self()
        await t.within('start of a running backend resolves', backend.start())
        equal(backend.self().id, id, 'a second start changes nothing')
        await works(t, backend)
        await t.within('one stop is enough for several starts', backend.stop())
        await everyCallIsRefused(t, backend)
      }
    },
    {
      name: 'stop is idempotent, before start, concurrently and after stop',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        await t.within('stop before start resolves', backend.stop())
        await network.start(0)
        await t.within('concurrent stops resolve', Promise.all([backend.stop(), backend.stop()]))
        await t.within('stop after stop resolves', backend.stop())
      }
    },
    {
      name: 'after stop every call rejects with NOT_RUNNING',
      run: async (t) => {
        const network = await t.fresh(1)
        await network.start(0)
        const stopping = network.at(0).stop()
        // "After stop was called": not only after it has resolved.
        await everyCallIsRefused(t, network.at(0))
        await t.within('stop resolves', stopping)
        await everyCallIsRefused(t, network.at(0))
      }
    },
    {
      name: 'may be started again after stop; a persistent backend then has its content and its id',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        await network.start(0)
        const { id } = backend.self()
        const block = await rawBlock()
        if (t.capabilities.blocks !== undefined) await blocksOf(backend).put(block)
        for (let round = 0; round < 2; round++) {
          await t.within('stop resolves', backend.stop())
          await t.within('start after stop resolves', network.start(0))
          await works(t, backend)
        }
        if (t.capabilities.blocks === undefined || t.capabilities.blocks.persistence === 'none') return
        equal(backend.self().id, id, 'a persistent backend keeps its id over a restart')
        equal(await blocksOf(backend).has(block.cid), true, 'a persistent backend keeps its content over a restart')
      }
    },
    {
      name: 'a start whose signal has fired rejects with ABORTED, leaves nothing running and may be tried again',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        await rejects(
          async () => await t.within('start rejects at once', backend.start({ signal: AbortSignal.abort() })),
          {
            backend,
            operation: 'start',
            codes: ['ABORTED']
          }
        )
        await everyCallIsRefused(t, backend)
        await t.within('a later start resolves', network.start(0))
        await works(t, backend)
      }
    },
    {
      name: 'a start that is aborted midway ends soon, and may be tried again',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        const controller = new AbortController()
        const starting = backend.start({ signal: controller.signal })
        controller.abort()
        const outcome = await t.within(
          'an aborted start ends',
          starting.then(
            () => undefined,
            (error: unknown) => ({ error })
          )
        )
        if (outcome !== undefined) {
          wellFormed(outcome.error, { backend, operation: 'start', codes: ['ABORTED'] })
          await everyCallIsRefused(t, backend)
        }
        await t.within('a later start resolves', network.start(0))
        await works(t, backend)
      }
    },
    {
      name: 'a failed start leaves nothing running and may be tried again',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        const clear = await network.obstruct(0)
        if (clear === undefined) return
        const error = await t.within(
          'an obstructed start rejects',
          network.start(0).then(
            () => fail('an obstructed start rejects', 'it resolved'),
            (reason: unknown) => reason
          )
        )
        check(
          typeof error === 'object' && error !== null && 'backend' in error && error.backend === backend.name,
          'the error of a failed start names its backend',
          error
        )
        await everyCallIsRefused(t, backend)
        await clear()
        await t.within('a later start resolves', network.start(0))
        await works(t, backend)
      }
    },
    {
      name: 'stop leaves no call pending',
      run: async (t) => {
        const network = await t.fresh(1)
        await network.start(0)
        const backend = network.at(0)
        const under = calls.filter(({ supported }) => supported(t.capabilities))
        const invokes = await Promise.all(under.map(async (call) => ({ call, invoke: await call.prepare() })))
        const pending = invokes.map(async ({ call, invoke }) => {
          try {
            await invoke(backend)
          } catch (error) {
            return { error, call }
          }
          return undefined
        })
        await t.within('stop resolves while calls are under way', backend.stop())
        const ended = await t.within('every call that was under way at stop ends', Promise.all(pending))
        for (const outcome of ended) {
          if (outcome === undefined) continue
          wellFormed(outcome.error, {
            backend,
            operation: outcome.call.operation,
            codes: ['NOT_RUNNING', 'ABORTED', ...outcome.call.fails]
          })
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
    },
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
          equal(event.backend, backend.name, `the event ${event.type} names its backend`)
          switch (event.type) {
            case 'peer:connect':
            case 'peer:disconnect':
              check(event.id.length > 0, `${event.type} has an id`, event)
              break
            case 'warning':
              check(event.message.length > 0, 'a warning has a message', event)
              break
            case 'degraded':
              wellFormed(event.error, { backend, operation: event.error.operation ?? '', codes: [event.error.code] })
              break
            case 'recovered':
              break
            default:
              fail('an event has a type of the port', show(event))
          }
        }
      }
    },
    {
      name: 'self() gives an id of its own and a bounded list of addresses',
      run: async (t) => {
        const network = await t.shared('trio')
        const infos = network.backends.map((backend) => backend.self())
        for (const { id, addresses } of infos) {
          check(typeof id === 'string' && id.length > 0, 'the id is a non-empty text', id)
          check(addresses.length <= 16, 'at most 16 addresses', addresses.length)
          check(
            addresses.every((address) => typeof address === 'string' && address.length <= 512),
            'each address is a text of at most 512 characters',
            addresses
          )
        }
        equal(new Set(infos.map(({ id }) => id)).size, infos.length, 'participants have different ids')
      }
    },
    {
      name: 'a restarted participant takes part again, and a subscription of another outlives its restart',
      when: (c) => c.messages !== undefined,
      run: async (t) => {
        const network = await t.fresh(2)
        await t.within('both start', network.startAll())
        await t.within('link() resolves', network.link())
        const channel = await Channel.open(t, network, { publishers: [1], subscribers: [0] })
        await t.within('one stops', network.at(1).stop())
        await t.within('it starts again', network.start(1))
        await t.within('link() after a restart resolves', network.link())
        await channel.warm(1, [0])
        await channel.deliver(1, () => uniqueBytes(32), [0])
        await channel.subscribe(1)
        await channel.warm(0, [1])
      }
    },
    {
      name: 'what a stopped participant leaves behind does not disturb the others',
      run: async (t) => {
        const network = await t.fresh(3)
        await t.within('all start', network.startAll())
        await t.within('link() resolves', network.link())
        await t.within('one stops', network.at(2).stop())
        for (const index of [0, 1]) await works(t, network.at(index))
        if (t.capabilities.routing !== undefined && t.capabilities.routing.findProviders !== 'none') {
          const { cid } = await rawBlock()
          await t.within(
            'a search goes on without it',
            collect(() => routingOf(network.at(0)).findProviders(cid, { signal: t.signal }))
          )
        }
        await t.within('it starts again', network.start(2))
        await t.within('link() after a restart resolves', network.link())
        await works(t, network.at(2))
      }
    }
  ]
}
