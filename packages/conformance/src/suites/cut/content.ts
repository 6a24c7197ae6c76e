import type { Backend } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { check, equal, whileCut } from '../../kit/check.ts'
import { blocksOf, put, routingOf } from '../../kit/parts.ts'
import { key, rawBlock } from '../../kit/samples.ts'
import type { Test, TestRun } from '../../kit/test.ts'
import { collect, outcomeOf, poll, turn } from '../../kit/time.ts'
import { brief, networked } from './calls.ts'

/** A network needs a moment to form again. */
async function provideAgain(t: TestRun, backend: Backend, cid: CID): Promise<void> {
  const provided = await poll(t.remaining() / 2, async () => {
    const outcome = await t.within(
      'provide after the cut ends',
      outcomeOf(routingOf(backend).provide(cid, { signal: t.signal }))
    )
    if ('value' in outcome) return true
    whileCut(outcome.error, { backend, operation: 'routing.provide', codes: [] })
    return undefined
  })
  check(provided === true, 'provide works again after the cut', provided)
}

export const content: readonly Test[] = [
  {
    name: 'put, has and delete while cut off do their work, or reject with a retryable error',
    when: (c) => c.blocks !== undefined && networked(c),
    run: async (t) => {
      const network = await t.shared('pair')
      const backend = network.at(0)
      const blocks = blocksOf(backend)
      const [kept, gone, fresh] = [await rawBlock(), await rawBlock(), await rawBlock()]
      await blocks.putMany([kept])
      await blocks.putMany([gone])
      const heal = await t.cut(network, 0)
      const ended = async <T>(operation: string, call: Promise<T>): Promise<T | undefined> => {
        const outcome = await t.within(`${operation} while cut off ends when its signal fires`, outcomeOf(call))
        if ('value' in outcome) return outcome.value
        whileCut(outcome.error, { backend, operation: `blocks.${operation}`, codes: [] })
        return undefined
      }
      const stored = await ended(
        'putMany',
        blocks.putMany([fresh], { signal: brief(t) }).then(() => true)
      )
      const has = await ended('has', blocks.has(kept.cid, { signal: brief(t) }))
      const deleted = await ended(
        'delete',
        blocks.delete(gone.cid, { signal: brief(t) }).then(() => true)
      )
      await heal()
      check(has !== false, 'has() while cut off tells the truth or rejects', has)
      equal(await blocks.has(kept.cid), true, 'a stored block is there after the cut')
      if (stored === true) equal(await blocks.has(fresh.cid), true, 'a block is there after a put that resolved')
      if (deleted === true) equal(await blocks.has(gone.cid), false, 'a block is gone after a delete that resolved')
      await t.within('put after the cut resolves', blocks.putMany([fresh], { signal: t.signal }))
      equal(await blocks.has(fresh.cid), true, 'put works again after the cut')
    }
  },
  {
    name: 'a get that is begun while cut off gives the block once the network is back, or rejects with a retryable error',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('pair')
      const backend = network.at(0)
      const block = await rawBlock()
      await put(network.at(1), block)
      const heal = await t.cut(network, 0)
      const getting = outcomeOf(blocksOf(backend).get(block.cid, { signal: t.signal }))
      await turn()
      await heal()
      const outcome = await t.within('get ends after the cut', getting)
      if ('error' in outcome) whileCut(outcome.error, { backend, operation: 'blocks.get', codes: ['NOT_FOUND'] })
      const bytes =
        'value' in outcome
          ? outcome.value
          : await t.within('a later get resolves', blocksOf(backend).get(block.cid, { signal: t.signal }))
      equal(bytes.byteLength, block.bytes.byteLength, 'get gives the block')
    }
  },
  {
    name: 'a pin of a missing block while cut off rejects and is not listed, and works once the network is back',
    when: (c) => c.blocks?.remote === true && c.blocks.pins !== 'none',
    run: async (t) => {
      const network = await t.shared('pair')
      const backend = network.at(0)
      const blocks = blocksOf(backend)
      const { cid, bytes } = await rawBlock()
      await blocksOf(network.at(1)).putMany([{ cid, bytes }])
      const heal = await t.cut(network, 0)
      const pinning = await t.within(
        'pin while cut off ends when its signal fires',
        outcomeOf(blocks.pin(cid, { signal: brief(t) }))
      )
      await heal()
      const listed = (await collect(() => blocks.pins())).some((pin) => key(pin.cid) === key(cid))
      if ('error' in pinning) {
        whileCut(pinning.error, { backend, operation: 'blocks.pin', codes: ['NOT_FOUND'] })
        equal(listed, false, 'a pin that failed is not listed')
        await t.within('pin after the cut resolves', blocks.pin(cid, { signal: t.signal }))
      } else equal(listed, true, 'a pin that resolved is listed')
      equal(await blocks.has(cid), true, 'a pinned block is stored')
      await blocks.unpin(cid)
    }
  },
  {
    name: 'provide while cut off rejects with a retryable error, or others find the record',
    when: (c) => c.routing !== undefined && c.routing.provide !== 'none' && c.routing.findProviders !== 'none',
    run: async (t) => {
      const network = await t.shared('pair')
      const backend = network.at(0)
      const block = await rawBlock()
      if (t.capabilities.blocks !== undefined) await put(backend, block)
      const heal = await t.cut(network, 0)
      const providing = await t.within(
        'provide while cut off ends when its signal fires',
        outcomeOf(routingOf(backend).provide(block.cid, { signal: brief(t) }))
      )
      await heal()
      if ('error' in providing) {
        whileCut(providing.error, { backend, operation: 'routing.provide', codes: [] })
        await provideAgain(t, backend, block.cid)
      }
      const found = await poll(t.remaining(), async () => {
        const all = await collect(() => routingOf(network.at(1)).findProviders(block.cid, { signal: t.signal }))
        return all.length > 0 ? all : undefined
      })
      check(found !== undefined, 'others find the record of a provide that resolved', found)
    }
  }
]
