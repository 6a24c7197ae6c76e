import { equal, rejects, wellFormed } from '../../kit/check.ts'
import { blocksOf, put, routingOf, selfOf } from '../../kit/parts.ts'
import { rawBlock } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { collect } from '../../kit/time.ts'
import { refusesFired } from './calls.ts'

export const abortedNetworkCalls: readonly Test[] = [
  {
    name: 'provide with a signal that has fired leaves no record',
    when: (c) => c.routing !== undefined && c.routing.provide !== 'none' && c.routing.findProviders !== 'none',
    run: async (t) => {
      const network = await t.shared('trio')
      const block = await rawBlock()
      if (t.capabilities.blocks !== undefined) await put(network.at(0), block)
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
      const other = selfOf(network.at(1))
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
  },
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
        await t.soon(
          'get ends when its time is over',
          rejects(() => blocksOf(backend).get(block.cid, { signal }), {
            backend,
            operation: 'blocks.get',
            codes: [code, 'NOT_FOUND']
          })
        )
      }
      await put(network.at(1), block)
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
      await t.soon('the aborted get ends', goes)
      await put(network.at(2), block)
      const bytes =
        (await t.within('the other get goes on', stays)) ??
        (await t.within('a later get resolves', blocksOf(backend).get(block.cid, { signal: t.signal })))
      equal(bytes.byteLength, block.bytes.byteLength, 'the other get gives the block')
    }
  }
]
