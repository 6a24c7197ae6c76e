import type { Stream } from '@libp2p/interface'
import { until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { Reader } from '../src/engine/streams/reader.ts'

/** A paused stream whose connection has ended, and that was not told yet. */
class Orphan extends EventTarget {
  readonly status = 'open'
  readonly readStatus = 'paused'
  readonly aborted: Error[] = []

  resume(): void {
    throw new Error('Cannot write to a stream that is closed')
  }

  abort(error: Error): void {
    this.aborted.push(error)
  }
}

it('ends as broken when the connection ends while frames are worked on', async () => {
  const stream = new Orphan()
  const [frames, ends]: [number[], boolean[]] = [[], []]
  const reader = new Reader(stream as unknown as Stream, {
    maxFrameBytes: 10,
    frame: async ({ byteLength }) => void frames.push(byteLength),
    skipped: () => undefined,
    end: (broken) => void ends.push(broken)
  })
  stream.dispatchEvent(Object.assign(new Event('message'), { data: Uint8Array.of(2, 7, 7) }))
  await until('the reader has ended', () => !reader.open)
  expect([frames, ends]).toEqual([[2], [true]])
  expect(stream.aborted).toHaveLength(1)
})
