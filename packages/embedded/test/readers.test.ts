import { rawBlock } from '@p2pl/tooling-vitest/blocks'
import { expect, it } from 'vitest'
import { Fetcher, openPins, StoredBlocks } from '../src/index.ts'
import { calm } from './support/calm.ts'
import { open } from './support/stores.ts'

// The first reader stores its bytes some steps after they have come.
it.each(Array.from({ length: 16 }, (_, i) => i))(
  'a block is wanted once though another reader misses it in the store %i steps after it has come',
  async (steps) => {
    const { tables } = await open(undefined)
    const block = await rawBlock('elsewhere')
    const came = Promise.withResolvers<Uint8Array>()
    let wants = 0
    const fetcher = new Fetcher({
      want: () => {
        wants++
        return came.promise
      },
      dial: () => Promise.resolve()
    })
    const blocks = new StoredBlocks({
      blocks: tables.blocks,
      pins: await openPins(tables.pins),
      fetch: (cid, options) => fetcher.fetch(cid, options),
      stored: () => undefined
    })
    const first = blocks.get(block.cid, calm)
    await new Promise((resolve) => setImmediate(resolve))
    const read = tables.blocks.getSound.bind(tables.blocks)
    const looked = Promise.withResolvers<void>()
    tables.blocks.getSound = async (key) => {
      const found = await read(key)
      await looked.promise
      return found
    }
    const second = blocks.get(block.cid, calm)
    await new Promise((resolve) => setImmediate(resolve))
    tables.blocks.getSound = read
    came.resolve(block.bytes)
    for (let i = 0; i < steps; i++) await Promise.resolve()
    looked.resolve()
    expect(await Promise.all([first, second])).toEqual([block.bytes, block.bytes])
    expect(wants).toBe(1)
  }
)
