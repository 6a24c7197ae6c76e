import { join } from 'node:path'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import type { Entry } from '@p2pl/sync'
import { describe, expect, it } from 'vitest'
import type { Home } from '../src/node/home.ts'
import { openOffline } from '../src/run/open-node.ts'
import { type WriteResult, Writer } from '../src/node/writer.ts'
import type { Payload } from '../src/rules/payload.ts'
import type { RawEntry } from '../src/state/entry-reader.ts'
import { accountIds, genesisOf, makeHomes, rawEntry, TestState } from './support.ts'

const folder = temporaryFolder()

describe('writes that are under way at once', () => {
  it('are not held up by one that everybody will reject', async () => {
    const [home] = await makeHomes(join(folder, 'rejected'), ['one'])
    const [to = ''] = await accountIds(1)
    const node = await openOffline(home as Home)
    try {
      const content = [new TextEncoder().encode('a note')]
      const written = await Promise.all([
        node.transfer({ to, amount: 2_914_067_401n, force: true }),
        node.transfer({ to, amount: 1_000n }),
        node.transfer({ to, amount: 5n, force: true, sequence: 0 }),
        node.record({ name: 'a.txt', mediaType: 'text/plain', content })
      ])
      expect(written.map(({ entry }) => entry.status)).toEqual(['rejected', 'accepted', 'rejected', 'accepted'])
    } finally {
      await node.stop()
    }
  })

  it('reserve what a forced one can pay', async () => {
    const [home] = await makeHomes(join(folder, 'forced'), ['one'])
    const [to = ''] = await accountIds(1)
    const node = await openOffline(home as Home)
    try {
      const forced = node.transfer({ to, amount: 600n, force: true })
      await expect(node.transfer({ to, amount: 600n })).rejects.toThrow(expect.objectContaining({ code: 'REJECTED' }))
      expect((await forced).entry.status).toBe('accepted')
    } finally {
      await node.stop()
    }
  })

  it('leave no gap in the numbers when one of them is given up', async () => {
    const [home] = await makeHomes(join(folder, 'aborted'), ['one'])
    const [to = ''] = await accountIds(1)
    const node = await openOffline(home as Home)
    try {
      const abort = new AbortController()
      const writes = [
        node.transfer({ to, amount: 1n }),
        node.transfer({ to, amount: 1n }, { signal: abort.signal }),
        node.transfer({ to, amount: 1n })
      ]
      abort.abort()
      const written = (await Promise.allSettled(writes)).flatMap((one) =>
        one.status === 'fulfilled' ? [one.value] : []
      )
      expect(written.map(({ entry }) => entry.status)).not.toContain('rejected')
      await expect(node.transfer({ to, amount: 1n }, { signal: AbortSignal.abort() })).rejects.toThrow()
      expect((await node.transfer({ to, amount: 1n })).entry.status).toBe('accepted')
    } finally {
      await node.stop()
    }
  })

  it('go on without a gap after the disk has failed, though there is always one under way', async () => {
    const [author = '', to = ''] = await accountIds(2)
    const state = await TestState.open(genesisOf([[author, 1_000n]]).genesis)
    const disk = new FakeDisk(author)
    const writer = new Writer({
      view: disk,
      state: state.state,
      account: author,
      caughtUp: async () => await state.add(...disk.written.splice(0))
    })
    const write = async (): Promise<WriteResult> =>
      await writer.write({ amount: 1n }, (sequence): Payload => ({ type: 'transfer', sequence, to, amount: 1n }))
    const first = [write(), write()]
    await disk.fail(2)
    await expect(first[0]).rejects.toThrow('no space')
    // The disk has room again, while a second write of the failed batch is still running.
    const later = [write(), write()]
    await disk.fail(1)
    await expect(first[1]).rejects.toThrow('no space')
    for (const one of later) {
      await disk.complete()
      expect((await one).entry).toMatchObject({ outcome: 'accepted' })
    }
    expect((await state.state.standing(author)).next).toBe(2)
  })
})

/** Appends that succeed or fail, in order, when the test says so. */
class FakeDisk {
  readonly #author: string
  readonly #waiting: { payload: Uint8Array; settle: PromiseWithResolvers<Entry> }[] = []
  readonly written: RawEntry[] = []
  #last: RawEntry | undefined

  constructor(author: string) {
    this.#author = author
  }

  async append(payload: Uint8Array): Promise<Entry> {
    const settle = Promise.withResolvers<Entry>()
    this.#waiting.push({ payload, settle })
    return await settle.promise
  }

  /** Fails the first append when this many wait. */
  async fail(waiting: number): Promise<void> {
    await until('they wait', () => this.#waiting.length === waiting)
    this.#waiting.shift()?.settle.reject(new Error('no space left'))
  }

  async complete(): Promise<void> {
    await until('one waits', () => this.#waiting.length > 0)
    const next = this.#waiting.shift()
    if (next === undefined) throw new Error('nothing is being written')
    this.#last = rawEntry(`entry ${this.#last?.clock ?? 0}`, this.#author, next.payload, this.#last ? [this.#last] : [])
    this.written.push(this.#last)
    next.settle.resolve(this.#last as Entry)
  }
}
