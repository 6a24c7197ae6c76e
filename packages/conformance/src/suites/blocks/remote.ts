import { anyError, equal, rejects, sameBytes, wellFormed } from '../../kit/check.ts'
import { blocksOf, put } from '../../kit/parts.ts'
import { cborBlock, pbBlockV0, rawBlock, rawBlockOf, uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { outcomeOf, turn } from '../../kit/time.ts'
import { declared, largestTried } from './declared.ts'

export const remote: readonly Test[] = [
  {
    name: 'get fetches a block that another peer stores',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      for (const block of [await rawBlock(), await rawBlock(200_000), await cborBlock([]), await pbBlockV0([])]) {
        await put(network.at(1), block)
        const bytes = await t.within(
          'get of a block that another peer stores resolves',
          blocksOf(network.at(0)).get(block.cid, { signal: t.signal })
        )
        sameBytes(bytes, block.bytes, 'get gives the bytes of the other peer')
        if (declared(t).keepsFetched)
          equal(
            await blocksOf(network.at(0)).has(block.cid),
            true,
            'what was fetched is kept where keepsFetched is declared'
          )
        else
          equal(
            await blocksOf(network.at(0)).has(block.cid),
            false,
            'what was fetched is not kept where keepsFetched is not declared'
          )
      }
    }
  },
  {
    name: 'get waits until the block appears at another peer, or rejects with NOT_FOUND and finds it later',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const backend = network.at(0)
      const block = await rawBlock()
      const waiting = blocksOf(backend)
        .get(block.cid, { signal: t.signal })
        .catch((error: unknown) => {
          wellFormed(error, { backend, operation: 'blocks.get', codes: ['NOT_FOUND'] })
          return undefined
        })
      await put(network.at(2), block)
      const bytes =
        (await t.within('get ends when the block appears', waiting)) ??
        (await t.within('a later get resolves', blocksOf(backend).get(block.cid, { signal: t.signal })))
      sameBytes(bytes, block.bytes, 'get gives the block')
    }
  },
  {
    name: 'get of a block that nobody has ends with NOT_FOUND or when its signal fires',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      const controller = new AbortController()
      const { cid } = await rawBlock()
      const getting = rejects(() => blocksOf(backend).get(cid, { signal: controller.signal }), {
        backend,
        operation: 'blocks.get',
        codes: ['NOT_FOUND', 'ABORTED']
      })
      controller.abort()
      await t.soon('get ends soon after its signal fired', getting)
    }
  },
  {
    name: 'the largest block travels',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const block = await rawBlock(Math.min(declared(t).maxBlockBytes, largestTried))
      await put(network.at(1), block)
      const bytes = await t.within(
        'get of the largest block resolves',
        blocksOf(network.at(0)).get(block.cid, { signal: t.signal })
      )
      sameBytes(bytes, block.bytes, 'the largest block arrives whole')
    }
  },
  {
    name: 'get with remote: true asks others as if the own store were empty',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const backend = network.at(0)
      const [own, shared] = [await rawBlock(), await rawBlock()]
      await put(backend, own, shared)
      await put(network.at(1), shared)
      const bytes = await t.within(
        'get of a block that another peer stores resolves',
        blocksOf(backend).get(shared.cid, { remote: true, signal: t.signal })
      )
      sameBytes(bytes, shared.bytes, 'a remote get gives the bytes of the other peer')
      const controller = new AbortController()
      const getting = rejects(() => blocksOf(backend).get(own.cid, { remote: true, signal: controller.signal }), {
        backend,
        operation: 'blocks.get',
        codes: ['NOT_FOUND', 'ABORTED']
      })
      await turn()
      controller.abort()
      await t.soon('a remote get of a block that only this peer stores rejects', getting)
    }
  },
  {
    name: 'a good block that arrives by get with remote: true replaces a wrong one in the store',
    when: (c) => c.blocks?.remote === true && c.blocks.keepsFetched,
    run: async (t) => {
      const network = await t.shared('trio')
      const backend = network.at(0)
      const good = await rawBlock()
      const stored = await outcomeOf(put(backend, { cid: good.cid, bytes: uniqueBytes(64) }))
      await put(network.at(1), good)
      // A store that checks its input has no wrong block.
      if ('error' in stored) anyError(stored.error, backend, 'blocks.putMany')
      const bytes = await t.within(
        'a remote get resolves',
        blocksOf(backend).get(good.cid, { remote: true, signal: t.signal })
      )
      sameBytes(bytes, good.bytes, 'a remote get gives the good bytes')
      sameBytes(
        await blocksOf(backend).get(good.cid, { local: true, signal: t.signal }),
        good.bytes,
        'the good block is in the store'
      )
    }
  },
  {
    name: 'get with remote: true is refused where `remote` is not declared, and beside local: true',
    when: (c) => c.blocks !== undefined,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const { cid } = await rawBlock()
      const operation = 'blocks.get'
      await rejects(() => blocksOf(backend).get(cid, { local: true, remote: true }), {
        backend,
        operation,
        codes: ['INVALID_ARGUMENT']
      })
      if (!declared(t).remote)
        await rejects(() => blocksOf(backend).get(cid, { remote: true }), {
          backend,
          operation,
          codes: ['UNSUPPORTED']
        })
    }
  },
  {
    name: 'a deleted block is not served',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const gone = await rawBlock()
      await put(network.at(1), gone)
      await blocksOf(network.at(1)).delete(gone.cid)
      const controller = new AbortController()
      const backend = network.at(0)
      const getting = rejects(() => blocksOf(backend).get(gone.cid, { signal: controller.signal }), {
        backend,
        operation: 'blocks.get',
        codes: ['NOT_FOUND', 'ABORTED']
      })
      const there = await rawBlock()
      await put(network.at(1), there)
      await t.within('get resolves', blocksOf(backend).get(there.cid, { signal: t.signal }))
      controller.abort()
      await t.soon('get of a deleted block rejects', getting)
    }
  },
  {
    name: 'bytes that get hands out are the caller’s: changing them does not change the store',
    when: (c) => c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      const bytes = uniqueBytes(5000)
      const block = await rawBlockOf(bytes.slice())
      await put(network.at(1), block)
      const fetched = await t.within('get resolves', blocksOf(network.at(0)).get(block.cid, { signal: t.signal }))
      // Not slice(): on a Node Buffer it returns a view.
      const copy = new Uint8Array(fetched)
      await blocksOf(network.at(1)).delete(block.cid)
      sameBytes(fetched, copy, 'bytes handed out are not changed afterwards')
      sameBytes(copy, bytes, 'get gives the bytes')
    }
  }
]
