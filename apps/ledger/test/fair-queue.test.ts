import { describe, expect, it } from 'vitest'
import { FairQueue } from '../src/node/fair-queue.ts'

/** A queue whose work ends when the test says so. */
function controlled(limits: { total: number; perShare: number }): {
  queue: FairQueue<string>
  started: string[]
  end: (work: string) => Promise<void>
} {
  const started: string[] = []
  const running = new Map<string, () => void>()
  const queue = new FairQueue<string>(limits, async (work) => {
    started.push(work)
    await new Promise<void>((resolve) => running.set(work, resolve))
  })
  const end = async (work: string): Promise<void> => {
    running.get(work)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { queue, started, end }
}

describe('the fair queue', () => {
  it('gives no share more than its places, and always one to another', async () => {
    const { queue, started, end } = controlled({ total: 4, perShare: 2 })
    for (let i = 0; i < 100; i++) queue.add('greedy', `greedy ${i}`)
    expect(started).toEqual(['greedy 0', 'greedy 1'])
    queue.add('modest', 'modest')
    expect(started.at(-1)).toBe('modest')
    await end('greedy 0')
    // The newest work of the share comes next.
    expect(started.at(-1)).toBe('greedy 99')
    queue.putBack('greedy', 'again')
    await end('greedy 1')
    expect(started.at(-1)).toBe('greedy 98')
    expect(started).toHaveLength(5)
  })

  it('lets shares take turns where there are more of them than places', async () => {
    const { queue, started, end } = controlled({ total: 1, perShare: 1 })
    queue.add('x', 'first')
    for (const share of ['a', 'b', 'c']) for (const i of [1, 2]) queue.add(share, `${share}${i}`)
    for (let i = 0; i < 6; i++) await end(started.at(-1) as string)
    expect(started).toEqual(['first', 'a2', 'b2', 'c2', 'a1', 'b1', 'c1'])
  })

  it('starts nothing that waited when it was cleared', async () => {
    const { queue, started, end } = controlled({ total: 1, perShare: 1 })
    queue.add('a', 'one')
    queue.add('a', 'two')
    queue.clear()
    await end('one')
    expect(started).toEqual(['one'])
  })
})
