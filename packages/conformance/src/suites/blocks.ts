import type { BlockCapabilities, Capabilities } from '@p2pl/core/backend'
import { anyError, check, equal, fail, rejects, sameBytes, wellFormed } from '../kit/check.ts'
import { blocksOf, type Suite, type TestRun } from '../kit/kit.ts'
import {
  alias,
  cborBlock,
  dagCborCode,
  pbBlock,
  pbBlockV0,
  rawBlock,
  rawBlock512,
  rawBlockOf,
  rawBlocks,
  sha2_512,
  uniqueBytes
} from '../kit/samples.ts'

const present = (c: Capabilities): boolean => c.blocks !== undefined
const largestTried = 8 * 1024 * 1024

function declared(t: TestRun): BlockCapabilities {
  return t.capabilities.blocks as BlockCapabilities
}

export const store: Suite = {
  name: 'blocks: the own store',
  tests: [
    {
      name: 'put, get, has and delete agree, and each may be repeated',
      when: present,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const block = await rawBlock(1000)
        const copy = block.bytes.slice()
        equal(await blocks.has(block.cid), false, 'has() is false before put')
        await blocks.delete(block.cid)
        for (let round = 0; round < 2; round++) {
          await t.within('put resolves', blocks.put(block, { signal: t.signal }))
          equal(await blocks.has(block.cid), true, 'has() is true after put')
          sameBytes(await blocks.get(block.cid, { signal: t.signal }), copy, 'get() gives the bytes of put()')
        }
        sameBytes(block.bytes, copy, 'put does not change its bytes')
        for (let round = 0; round < 2; round++) {
          await t.within('delete resolves', blocks.delete(block.cid))
          equal(await blocks.has(block.cid), false, 'has() is false after delete')
        }
        await blocks.put(block)
        sameBytes(await blocks.get(block.cid, { signal: t.signal }), copy, 'a block may be put again after delete')
      }
    },
    {
      name: 'get with local: true of a block that is not stored rejects with NOT_FOUND at once',
      when: present,
      run: async (t) => {
        for (const kind of ['solo', 'trio'] as const) {
          const backend = (await t.shared(kind)).at(0)
          const { cid } = await rawBlock()
          await t.within(
            'a local get rejects at once',
            rejects(() => blocksOf(backend).get(cid, { local: true, signal: t.signal }), {
              backend,
              operation: 'blocks.get',
              codes: ['NOT_FOUND']
            })
          )
        }
      }
    },
    {
      name: 'get with local: true gives what is stored',
      when: present,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const block = await rawBlock()
        await blocks.put(block)
        sameBytes(await blocks.get(block.cid, { local: true }), block.bytes, 'a local get gives the block')
      }
    },
    {
      name: 'where `remote` is not declared, get of a block that is not stored rejects with NOT_FOUND',
      when: (c) => c.blocks?.remote === false,
      run: async (t) => {
        const network = await t.shared('trio')
        const block = await rawBlock()
        await blocksOf(network.at(1)).put(block)
        const backend = network.at(0)
        await t.within(
          'get rejects',
          rejects(() => blocksOf(backend).get(block.cid), {
            backend,
            operation: 'blocks.get',
            codes: ['NOT_FOUND']
          })
        )
      }
    },
    {
      name: 'a block is found by its multihash, whatever version and codec its CID names',
      when: present,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const v0 = await pbBlockV0([])
        await blocks.put(v0)
        for (const cid of [v0.cid.toV1(), alias(v0.cid, dagCborCode)]) {
          equal(await blocks.has(cid), true, `has() finds a block put as CIDv0 under ${cid.toString()}`)
          sameBytes(await blocks.get(cid, { signal: t.signal }), v0.bytes, 'get() finds a block put as CIDv0')
        }
        const raw = await rawBlock()
        await blocks.put(raw)
        sameBytes(
          await blocks.get(alias(raw.cid, dagCborCode), { signal: t.signal }),
          raw.bytes,
          'get() finds a raw block under another codec'
        )
        await blocks.delete(alias(raw.cid, dagCborCode))
        equal(await blocks.has(raw.cid), false, 'delete() of another codec with an equal multihash deletes the block')
      }
    },
    {
      name: 'foreign CIDs: raw, dag-cbor, dag-pb, CIDv0',
      when: present,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const leaf = await rawBlock()
        for (const block of [
          leaf,
          await cborBlock([leaf.cid]),
          await pbBlock([leaf.cid]),
          await pbBlockV0([leaf.cid])
        ]) {
          await blocks.put(block)
          sameBytes(
            await blocks.get(block.cid, { signal: t.signal }),
            block.bytes,
            `${block.cid.toString()} is stored and found`
          )
        }
      }
    },
    {
      name: 'sha2-512 blocks are stored and found where declared',
      when: (c) => c.blocks?.hashes.includes(sha2_512) === true,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const block = await rawBlock512()
        await blocks.put(block)
        equal(await blocks.has(block.cid), true, 'has() finds a sha2-512 block')
        sameBytes(await blocks.get(block.cid, { signal: t.signal }), block.bytes, 'get() finds a sha2-512 block')
      }
    },
    {
      name: 'a hash that is not declared is refused',
      when: (c) => c.blocks?.hashes.includes(sha2_512) === false,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const block = await rawBlock512()
        const codes = ['UNSUPPORTED', 'INVALID_ARGUMENT'] as const
        await rejects(() => blocksOf(backend).put(block), { backend, operation: 'blocks.put', codes })
        await rejects(() => blocksOf(backend).get(block.cid, { signal: t.signal }), {
          backend,
          operation: 'blocks.get',
          codes
        })
      }
    },
    {
      name: 'the empty block is a block',
      when: present,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const block = await rawBlockOf(new Uint8Array(0))
        await blocks.put(block)
        equal(await blocks.has(block.cid), true, 'has() finds the empty block')
        equal((await blocks.get(block.cid, { signal: t.signal })).byteLength, 0, 'get() gives no bytes')
        await blocks.delete(block.cid)
        equal(await blocks.has(block.cid), false, 'the empty block can be deleted')
      }
    },
    {
      name: 'a block of maxBlockBytes is stored; one over it is TOO_LARGE and not stored',
      when: present,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const blocks = blocksOf(backend)
        const limit = declared(t).maxBlockBytes
        check(limit >= (1 << 20) + (1 << 16), 'maxBlockBytes is at least 1 MiB + 64 KiB', limit)
        const largest = await rawBlock(Math.min(limit, largestTried))
        await t.within('put of the largest block resolves', blocks.put(largest, { signal: t.signal }))
        sameBytes(await blocks.get(largest.cid, { signal: t.signal }), largest.bytes, 'the largest block comes back')
        await blocks.delete(largest.cid)
        if (limit > largestTried) return
        const over = await rawBlock(limit + 1)
        const codes = ['TOO_LARGE'] as const
        await rejects(() => blocks.put(over), { backend, operation: 'blocks.put', codes })
        await rejects(() => blocks.putMany([over]), { backend, operation: 'blocks.putMany', codes })
        equal(await blocks.has(over.cid), false, 'a block that is too large is not stored')
      }
    },
    {
      name: 'putMany stores all blocks of an array, an iterable and an async iterable',
      when: present,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const groups = [await rawBlocks(100), await rawBlocks(300), await rawBlocks(300)] as const
        await t.within('putMany of an array resolves', blocks.putMany(groups[0], { signal: t.signal }))
        await t.within('putMany of an iterable resolves', blocks.putMany(new Set(groups[1]), { signal: t.signal }))
        const slowly = async function* (): AsyncGenerator<(typeof groups)[2][number]> {
          for (const block of groups[2]) {
            await Promise.resolve()
            yield block
          }
        }
        await t.within('putMany of an async iterable resolves', blocks.putMany(slowly(), { signal: t.signal }))
        await t.within('putMany of nothing resolves', blocks.putMany([]))
        const found = await Promise.all(groups.flat().map(async ({ cid }) => await blocks.has(cid)))
        equal(found.filter(Boolean).length, 700, 'every block of putMany is stored when it resolves')
      }
    },
    {
      name: 'putMany of an iterable that fails rejects with a typed error that has its reason, and ends the iterable',
      when: present,
      run: async (t) => {
        const backend = (await t.shared('solo')).at(0)
        const reason = new Error('the source failed')
        const failing = async function* (): AsyncGenerator<Awaited<ReturnType<typeof rawBlock>>> {
          yield await rawBlock()
          throw reason
        }
        const rejection = await t.within(
          'putMany of a failing iterable rejects',
          blocksOf(backend)
            .putMany(failing())
            .then(
              () => fail('putMany of a failing iterable rejects', 'it resolved'),
              (error: unknown) => error
            )
        )
        const error = anyError(rejection, backend, 'blocks.putMany')
        check(error.cause === reason, 'the reason of the iterable is the cause of the error', error.cause)
        let ended = false
        const tooLarge = await rawBlock(Math.min(declared(t).maxBlockBytes, largestTried) + 1)
        if (declared(t).maxBlockBytes > largestTried) return
        const endless = function* (): Generator<typeof tooLarge> {
          try {
            for (;;) yield tooLarge
          } finally {
            ended = true
          }
        }
        await rejects(async () => await t.within('putMany rejects', blocksOf(backend).putMany(endless())), {
          backend,
          operation: 'blocks.putMany',
          codes: ['TOO_LARGE']
        })
        equal(ended, true, 'putMany ends the iterable when it fails')
      }
    },
    {
      name: 'store calls do not wait for the network',
      when: present,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const { cid } = await rawBlock()
        equal(await t.within('has() of an unknown block resolves', blocks.has(cid)), false, 'has() is false')
        await t.within('delete() of an unknown block resolves', blocks.delete(cid))
      }
    },
    {
      name: 'what put has resolved for is there for another backend over the same store (persistence)',
      when: (c) => c.blocks !== undefined && c.blocks.persistence !== 'none',
      run: async (t) => {
        const network = await t.fresh(1)
        await network.start(0)
        const { id } = network.at(0).self()
        const one = await rawBlock()
        const many = await rawBlocks(20)
        const gone = await rawBlock()
        await blocksOf(network.at(0)).put(one)
        await blocksOf(network.at(0)).put(gone)
        await blocksOf(network.at(0)).putMany(many)
        await blocksOf(network.at(0)).delete(gone.cid)
        await t.within('stop resolves', network.at(0).stop())
        const again = await network.reopen(0)
        await t.within('the reopened backend starts', again.start())
        for (const { cid, bytes } of [one, ...many])
          sameBytes(await blocksOf(again).get(cid, { local: true }), bytes, 'a stored block is there after reopening')
        equal(await blocksOf(again).has(gone.cid), false, 'a deleted block stays deleted after reopening')
        equal(again.self().id, id, 'a persistent backend keeps its id')
      }
    }
  ]
}

export const exchange: Suite = {
  name: 'blocks: from others',
  tests: [
    {
      name: 'get fetches what another participant stores',
      when: (c) => c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        for (const block of [await rawBlock(), await rawBlock(200_000), await cborBlock([]), await pbBlockV0([])]) {
          await blocksOf(network.at(1)).put(block)
          const bytes = await t.within(
            'get of what another stores resolves',
            blocksOf(network.at(0)).get(block.cid, { signal: t.signal })
          )
          sameBytes(bytes, block.bytes, 'get gives the bytes of the other participant')
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
      name: 'get waits until the block appears at another participant, or rejects with NOT_FOUND and finds it later',
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
        await blocksOf(network.at(2)).put(block)
        const bytes =
          (await t.within('get ends when the block appears', waiting)) ??
          (await t.within('a later get resolves', blocksOf(backend).get(block.cid, { signal: t.signal })))
        sameBytes(bytes, block.bytes, 'get gives the block')
      }
    },
    {
      name: 'get of what nobody has ends with NOT_FOUND or when its signal fires',
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
        await t.within('get ends soon after its signal fired', getting)
      }
    },
    {
      name: 'the largest block travels',
      when: (c) => c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        const block = await rawBlock(Math.min(declared(t).maxBlockBytes, largestTried))
        await blocksOf(network.at(1)).put(block)
        const bytes = await t.within(
          'get of the largest block resolves',
          blocksOf(network.at(0)).get(block.cid, { signal: t.signal })
        )
        sameBytes(bytes, block.bytes, 'the largest block arrives whole')
      }
    },
    {
      name: 'providers is a hint: with a right one, a useless one and a hostile one get still finds the block',
      when: (c) => c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        const right = network.at(1).self()
        const hints = [
          [right],
          [network.at(2).self()],
          [network.at(0).self()],
          [{ id: 'nobody at all', addresses: ['not an address', '/ip4/127.0.0.1/tcp/1', ''] }, right],
          [{ id: '', addresses: [] }]
        ]
        for (const providers of hints) {
          const block = await rawBlock()
          await blocksOf(network.at(1)).put(block)
          const bytes = await t.within(
            'get with a hint resolves',
            blocksOf(network.at(0)).get(block.cid, { providers, root: block.cid, signal: t.signal })
          )
          sameBytes(bytes, block.bytes, 'get with a hint gives the block')
        }
      }
    },
    {
      name: 'get follows a hint to a participant that it is not linked to',
      when: (c, fixture) => c.blocks?.remote === true && fixture.followsHints === true,
      run: async (t) => {
        const network = await t.fresh(2)
        await t.within('both start', network.startAll())
        const block = await rawBlock()
        await blocksOf(network.at(1)).put(block)
        const bytes = await t.within(
          'get with a hint resolves without a link',
          blocksOf(network.at(0)).get(block.cid, { providers: [network.at(1).self()], signal: t.signal })
        )
        sameBytes(bytes, block.bytes, 'get follows the hint')
      }
    },
    {
      name: 'what is not stored any more is not served',
      when: (c) => c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        const gone = await rawBlock()
        await blocksOf(network.at(1)).put(gone)
        await blocksOf(network.at(1)).delete(gone.cid)
        const controller = new AbortController()
        const backend = network.at(0)
        const getting = rejects(() => blocksOf(backend).get(gone.cid, { signal: controller.signal }), {
          backend,
          operation: 'blocks.get',
          codes: ['NOT_FOUND', 'ABORTED']
        })
        const there = await rawBlock()
        await blocksOf(network.at(1)).put(there)
        await t.within('get resolves', blocksOf(backend).get(there.cid, { signal: t.signal }))
        controller.abort()
        await t.within('get of a deleted block rejects', getting)
      }
    },
    {
      name: 'bytes that get hands out are the caller’s: changing them does not change the store',
      when: (c) => c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        const bytes = uniqueBytes(5000)
        const block = await rawBlockOf(bytes.slice())
        await blocksOf(network.at(1)).put(block)
        const fetched = await t.within('get resolves', blocksOf(network.at(0)).get(block.cid, { signal: t.signal }))
        // Not slice(): that of a Node Buffer is a view.
        const copy = new Uint8Array(fetched)
        await blocksOf(network.at(1)).delete(block.cid)
        sameBytes(fetched, copy, 'bytes handed out are not changed afterwards')
        sameBytes(copy, bytes, 'get gives the bytes')
      }
    }
  ]
}
