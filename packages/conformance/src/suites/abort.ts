import type { Backend } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { Channel } from '../kit/channel.ts'
import { check, equal, fail, rejects, wellFormed } from '../kit/check.ts'
import { Inbox } from '../kit/inbox.ts'
import {
  blocksOf,
  dagOf,
  messagesOf,
  routingOf,
  type Network,
  type Suite,
  type Test,
  type TestRun
} from '../kit/kit.ts'
import { cborBlock, key, rawBlock, rawBlocks, uniqueBytes, uniqueName } from '../kit/samples.ts'
import { collect } from '../kit/time.ts'
import { calls } from './calls.ts'

const timedOut = (): DOMException => new DOMException('the deadline passed', 'TimeoutError')

/** The call with a signal that has fired already must reject with ABORTED. */
async function refusesFired(
  t: TestRun,
  backend: Backend,
  operation: string,
  call: (signal: AbortSignal) => Promise<unknown>
): Promise<void> {
  await t.within(
    `${operation} with a signal that has fired rejects at once`,
    rejects(() => call(AbortSignal.abort()), { backend, operation, codes: ['ABORTED'] })
  )
}

const everyCall: readonly Test[] = calls.flatMap((call): Test[] => [
  {
    name: `${call.operation} with a signal that has already fired rejects with ABORTED, or TIMEOUT where it was a timeout`,
    when: call.supported,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      for (const [signal, code] of [
        [AbortSignal.abort(), 'ABORTED'],
        [AbortSignal.abort('any reason'), 'ABORTED'],
        [AbortSignal.abort(timedOut()), 'TIMEOUT']
      ] as const) {
        const invoke = await call.prepare()
        await t.within(
          `${call.operation} rejects at once`,
          rejects(() => invoke(backend, signal), { backend, operation: call.operation, codes: [code] })
        )
      }
    }
  },
  {
    name: `${call.operation} ends soon when its signal fires midway`,
    when: call.supported,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      for (const [reason, code] of [
        [undefined, 'ABORTED'],
        [timedOut(), 'TIMEOUT']
      ] as const) {
        const invoke = await call.prepare()
        const controller = new AbortController()
        const outcome = invoke(backend, controller.signal).then(
          () => undefined,
          (error: unknown) => ({ error })
        )
        controller.abort(reason)
        const failure = await t.within(`${call.operation} ends after its signal fired`, outcome)
        if (failure !== undefined)
          wellFormed(failure.error, { backend, operation: call.operation, codes: [code, ...call.fails] })
      }
    }
  }
])

/** An open iteration must reject with ABORTED after its signal fired, however many items are left. */
async function endsIteration<T>(
  t: TestRun,
  backend: Backend,
  operation: string,
  open: (signal: AbortSignal) => AsyncIterable<T>
): Promise<void> {
  const controller = new AbortController()
  const iterator = open(controller.signal)[Symbol.asyncIterator]()
  const first = await t.within(`${operation} yields`, iterator.next())
  equal(first.done === true, false, `${operation} yields something`)
  controller.abort()
  await t.within(
    `${operation} ends soon after its signal fired`,
    rejects(
      async () => {
        while ((await iterator.next()).done !== true);
      },
      { backend, operation, codes: ['ABORTED'] }
    )
  )
}

const nothingDone: readonly Test[] = [
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
  },
  {
    name: 'put, putMany and delete with a signal that has fired change nothing',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const [one, two, stored] = [await rawBlock(), await rawBlock(), await rawBlock()]
      await blocks.put(stored)
      await refusesFired(t, backend, 'blocks.put', async (signal) => await blocks.put(one, { signal }))
      let read = false
      const source = function* (): Generator<typeof two> {
        read = true
        yield two
      }
      await refusesFired(t, backend, 'blocks.putMany', async (signal) => await blocks.putMany(source(), { signal }))
      await refusesFired(t, backend, 'blocks.delete', async (signal) => await blocks.delete(stored.cid, { signal }))
      equal(await blocks.has(one.cid), false, 'an aborted put stores nothing')
      equal(await blocks.has(two.cid), false, 'an aborted putMany stores nothing')
      equal(read, false, 'an aborted putMany does not read its iterable')
      equal(await blocks.has(stored.cid), true, 'an aborted delete deletes nothing')
    }
  },
  {
    name: 'pin and unpin with a signal that has fired change nothing',
    when: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const blocks = blocksOf(backend)
      const [one, two] = [await rawBlock(), await rawBlock()]
      await blocks.putMany([one, two])
      await blocks.pin(two.cid)
      await refusesFired(t, backend, 'blocks.pin', async (signal) => await blocks.pin(one.cid, { signal }))
      await refusesFired(t, backend, 'blocks.unpin', async (signal) => await blocks.unpin(two.cid, { signal }))
      const listed = (await collect(() => blocks.pins())).map(({ cid }) => key(cid))
      check(!listed.includes(key(one.cid)), 'an aborted pin pins nothing', listed)
      check(listed.includes(key(two.cid)), 'an aborted unpin unpins nothing', listed)
      await blocks.unpin(two.cid)
    }
  },
  {
    name: 'gc with a signal that has fired removes nothing',
    when: (c) => c.blocks !== undefined && c.blocks.gc !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const many = await rawBlocks(10)
      await blocksOf(backend).putMany(many)
      await refusesFired(
        t,
        backend,
        'blocks.gc',
        async (signal) => await collect(() => blocksOf(backend).gc({ signal }))
      )
      for (const { cid } of many) equal(await blocksOf(backend).has(cid), true, 'an aborted gc removes nothing')
    }
  },
  {
    name: 'provide with a signal that has fired leaves no record',
    when: (c) => c.routing !== undefined && c.routing.provide !== 'none' && c.routing.findProviders !== 'none',
    run: async (t) => {
      const network = await t.shared('trio')
      const block = await rawBlock()
      if (t.capabilities.blocks !== undefined) await blocksOf(network.at(0)).put(block)
      await refusesFired(t, network.at(0), 'routing.provide', async (signal) =>
        routingOf(network.at(0)).provide(block.cid, { signal })
      )
      const found = await t.within(
        'findProviders ends',
        collect(() => routingOf(network.at(1)).findProviders(block.cid, { signal: t.signal }))
      )
      equal(found.length, 0, 'an aborted provide leaves no record')
    }
  },
  {
    name: 'connect and disconnect with a signal that has fired change no connection',
    when: (c) => c.routing !== undefined && c.routing.connect !== 'none',
    run: async (t) => {
      const network = await t.fresh(2)
      await t.within('both start', network.startAll())
      const routing = routingOf(network.at(0))
      const other = network.at(1).self()
      const connected = async (): Promise<boolean> => (await routing.connections()).some(({ id }) => id === other.id)
      if (!(await connected())) {
        await refusesFired(t, network.at(0), 'routing.connect', async (signal) => routing.connect(other, { signal }))
        equal(await connected(), false, 'an aborted connect does not connect')
      }
      await t.within('connect resolves', routing.connect(other, { signal: t.signal }))
      await refusesFired(t, network.at(0), 'routing.disconnect', async (signal) =>
        routing.disconnect(other.id, { signal })
      )
      equal(await connected(), true, 'an aborted disconnect does not disconnect')
    }
  }
]

const midway: readonly Test[] = [
  {
    name: 'a get that looks for a block rejects with ABORTED, or TIMEOUT, when its signal fires, and works again after that',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const backend = network.at(0)
      const block = await rawBlock()
      for (const [signal, code] of [
        [AbortSignal.timeout(20), 'TIMEOUT'],
        [AbortSignal.any([AbortSignal.timeout(20), new AbortController().signal]), 'TIMEOUT']
      ] as const) {
        await t.within(
          'get ends at its deadline',
          rejects(() => blocksOf(backend).get(block.cid, { signal }), {
            backend,
            operation: 'blocks.get',
            codes: [code, 'NOT_FOUND']
          })
        )
      }
      await blocksOf(network.at(1)).put(block)
      await t.within('get after an aborted get resolves', blocksOf(backend).get(block.cid, { signal: t.signal }))
    }
  },
  {
    name: 'one aborted get does not disturb another of the same block',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const backend = network.at(0)
      const block = await rawBlock()
      const controller = new AbortController()
      const stays = blocksOf(backend)
        .get(block.cid, { signal: t.signal })
        .catch((error: unknown) => {
          wellFormed(error, { backend, operation: 'blocks.get', codes: ['NOT_FOUND'] })
          return undefined
        })
      const goes = rejects(() => blocksOf(backend).get(block.cid, { signal: controller.signal }), {
        backend,
        operation: 'blocks.get',
        codes: ['ABORTED', 'NOT_FOUND']
      })
      controller.abort()
      await t.within('the aborted get ends', goes)
      await blocksOf(network.at(2)).put(block)
      const bytes =
        (await t.within('the other get goes on', stays)) ??
        (await t.within('a later get resolves', blocksOf(backend).get(block.cid, { signal: t.signal })))
      equal(bytes.byteLength, block.bytes.byteLength, 'the other get gives the block')
    }
  },
  {
    name: 'putMany stops reading its iterable when its signal fires',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const controller = new AbortController()
      const block = await rawBlock()
      let given = 0
      let ended = false
      const endless = async function* (): AsyncGenerator<typeof block> {
        try {
          for (;;) {
            if (++given === 50) controller.abort()
            yield block
            await Promise.resolve()
          }
        } finally {
          ended = true
        }
      }
      await t.within(
        'putMany of an endless iterable ends after its signal fired',
        rejects(() => blocksOf(backend).putMany(endless(), { signal: controller.signal }), {
          backend,
          operation: 'blocks.putMany',
          codes: ['ABORTED']
        })
      )
      const at = given
      await blocksOf(backend).has(block.cid)
      check(given <= at + 1, 'an aborted putMany reads no further', `${given - at} blocks more`)
      check(ended || given <= at + 1, 'an aborted putMany ends its iterable', given)
    }
  },
  {
    name: 'putMany ends soon when its signal fires while the iterable gives nothing',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const controller = new AbortController()
      const silent: AsyncIterable<never> = {
        [Symbol.asyncIterator]: () => ({
          next: async () => await new Promise<never>(() => undefined)
        })
      }
      const putting = rejects(() => blocksOf(backend).putMany(silent, { signal: controller.signal }), {
        backend,
        operation: 'blocks.putMany',
        codes: ['ABORTED']
      })
      controller.abort()
      await t.within('putMany ends', putting)
    }
  },
  {
    name: 'an iteration of pins rejects with ABORTED when its signal fires midway',
    when: (c) => c.blocks !== undefined && c.blocks.pins !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const many = await rawBlocks(10)
      await blocksOf(backend).putMany(many)
      await Promise.all(many.map(async ({ cid }) => await blocksOf(backend).pin(cid)))
      await endsIteration(t, backend, 'blocks.pins', (signal) => blocksOf(backend).pins({ signal }))
      await Promise.all(many.map(async ({ cid }) => await blocksOf(backend).unpin(cid)))
    }
  },
  {
    name: 'an iteration of gc rejects with ABORTED when its signal fires midway',
    when: (c) => c.blocks !== undefined && c.blocks.gc !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      await blocksOf(backend).putMany(await rawBlocks(50))
      await endsIteration(t, backend, 'blocks.gc', (signal) => blocksOf(backend).gc({ signal }))
    }
  },
  {
    name: 'an iteration of getDag rejects with ABORTED when its signal fires midway',
    when: (c) => c.blocks !== undefined && c.blocks.dag !== 'none',
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const leaves = await rawBlocks(20)
      const root = await cborBlock(leaves.map(({ cid }) => cid))
      await blocksOf(backend).putMany([root, ...leaves])
      await endsIteration(t, backend, 'blocks.getDag', (signal) => dagOf(backend)(root.cid, { signal }))
    }
  },
  {
    name: 'an iteration of findProviders rejects when its signal fires first',
    when: (c) => c.routing !== undefined && c.routing.findProviders !== 'none' && c.routing.provide !== 'none',
    run: async (t) => {
      const network = await t.shared('trio')
      const cid = await providedByTwo(t, network)
      const controller = new AbortController()
      const backend = network.at(2)
      const iterator = routingOf(backend).findProviders(cid, { signal: controller.signal })[Symbol.asyncIterator]()
      const first = await t.within('findProviders yields', iterator.next())
      if (first.done === true) fail('findProviders yields who provided', 'it ended')
      controller.abort()
      await t.within(
        'findProviders ends soon after its signal fired',
        rejects(
          async () => {
            while ((await iterator.next()).done !== true);
          },
          { backend, operation: 'routing.findProviders', codes: ['ABORTED'] }
        )
      )
    }
  }
]

async function providedByTwo(t: TestRun, network: Network): Promise<CID> {
  const block = await rawBlock()
  for (const index of [0, 1]) {
    if (t.capabilities.blocks !== undefined) await blocksOf(network.at(index)).put(block)
    await t.within('provide resolves', routingOf(network.at(index)).provide(block.cid, { signal: t.signal }))
  }
  return block.cid
}

export const abort: Suite = { name: 'abort', tests: [...everyCall, ...nothingDone, ...midway] }
