import { createPeer } from '@p2pl/core'
import { seededBytes } from '@p2pl/tooling-vitest'
import { expect, test, vi } from 'vitest'
import { engineOf, make } from './helper.ts'

test('five cold readers of one file move each of its blocks once', async () => {
  const [there, here] = [make(), make()]
  await using source = await createPeer({ backend: there })
  await using reader = await createPeer({ backend: here })
  const bytes = seededBytes(12 * 1_024 * 1_024, 5)
  const { cid } = await source.data.add(bytes)
  const wants = vi.spyOn(engineOf(here).exchange, 'want')
  const self = source.network.self()
  // Each begins where the one before it has read a part.
  const read = async (offset: number): Promise<Buffer> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of reader.data.get(cid, { offset, providers: self })) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const offsets = [0, 0, 0, 1_500_000, 3_000_000]
  const all = await Promise.all(offsets.map(read))
  for (const [i, offset] of offsets.entries()) expect(all[i]?.equals(bytes.subarray(offset))).toBe(true)
  const wanted = wants.mock.calls.map(([block]) => block.toString())
  // Twelve leaves and the root.
  expect(new Set(wanted).size).toBe(13)
  expect(wanted).toHaveLength(13)
})
