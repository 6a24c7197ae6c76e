import { expect, it } from 'vitest'
import { StoreErrors } from '../src/errors.ts'
import { Writer } from '../src/writer.ts'
import { keyOf, remedy, valueOf } from './support/store.ts'

type Parts = ConstructorParameters<typeof Writer>[0]

/** A writer on a full disk. Space is on its way so many times; after the last one there is enough. */
function writerOnFullDisk(more: number): { writer: Writer; written: unknown[] } {
  let [left, free] = [more, 0]
  const written: unknown[] = []
  const reserve = {
    whole: false,
    wanted: 1_000_000,
    size: 0,
    hasFiles: async () => true,
    free: async () => free,
    fill: async () => false
  }
  const parts = {
    session: {
      writable: async () => undefined,
      write: async (operations: readonly unknown[]) => {
        written.push(...operations)
        return undefined
      }
    },
    disk: { reserve, expect: () => undefined, measure: async () => ({ unusedBytes: 0 }) },
    values: {},
    errors: new StoreErrors({
      location: 'full',
      backend: undefined,
      remedy,
      operations: { open: 'open', read: 'read', write: 'write' }
    } as never),
    reclaimer: {
      more: async () => {
        if (left === 0) return false
        left--
        if (left === 0) free = 1_000_000_000
        return true
      }
    },
    report: () => undefined
  }
  return { writer: new Writer(parts as unknown as Parts), written }
}

const encoded = {
  operations: [{ type: 'put', key: keyOf('a'), value: valueOf('a', 100) }],
  bytes: 100,
  large: new Map(),
  dropped: [],
  removes: false
} as unknown as Parameters<Writer['write']>[0]

it('a write that does not fit waits for the space of what was removed', async () => {
  const { writer, written } = writerOnFullDisk(3)
  await writer.write(encoded, false, 1)
  expect(written).toHaveLength(1)
})

it('a write that does not fit is refused when no space is on its way', async () => {
  const { writer, written } = writerOnFullDisk(0)
  await expect(writer.write(encoded, false, 1)).rejects.toMatchObject({ code: 'STORAGE' })
  expect(written).toEqual([])
})
