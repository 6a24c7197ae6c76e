import type { Peer } from '@p2pl/core'
import { randomInteger } from '@p2pl/simulator'
import { forSeeds, seededBytes } from '@p2pl/tooling-vitest'
import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { openReplication, type Replication, type ReplicationOptions } from '../src/index.ts'
import { misbehave, silent, yesSayer } from './support/hostile.ts'
import { Group, kibibyte } from './support/simulated.ts'

const minute = 60_000
const maxBytes = 1024 * kibibyte
const range = { min: 2, max: 4 }

/** One peer that marks content, and others that keep it. */
class World {
  readonly group: Group
  readonly keepers: string[]
  readonly cids: CID[] = []
  ann!: Peer
  replication!: Replication

  constructor(seed: number, keepers: number, loss = 0) {
    this.group = new Group({ seed, loss })
    this.keepers = Array.from({ length: keepers }, (_, i) => `keeper-${i}`)
  }

  async start(count: number, options: Partial<ReplicationOptions> = {}): Promise<void> {
    const { group } = this
    this.ann = await group.start('ann')
    for (const host of this.keepers) await group.start(host, { peers: [this.ann.id], maxBytes })
    for (let i = 0; i < count; i++) {
      const { cid } = await group.simulator.complete(this.ann.data.add(seededBytes(1000, i), { provide: false }))
      this.cids.push(cid)
    }
    this.replication = openReplication({ peer: this.ann, ...options })
    for (const cid of this.cids) this.replication.keep(cid, range)
  }

  /** Copies of each CID, by host: what is really pinned there. */
  copies(): Set<string> {
    const { group } = this
    const found = new Set<string>()
    for (const host of this.keepers) {
      if (!group.simulator.host(host).up) continue
      for (const { cid } of group.simulator.host(host).store.pins.values()) found.add(`${host} ${cid.toString()}`)
    }
    return found
  }

  copiesOf(cid: CID): number {
    return [...this.copies()].filter((copy) => copy.endsWith(` ${cid.toString()}`)).length
  }

  enough(): boolean {
    return this.replication.statuses().every(({ missing }) => missing === 0)
  }

  async stop(): Promise<void> {
    await this.group.simulator.complete(this.replication.stop())
  }
}

describe('replication in the simulator', () => {
  it('moves only what a peer had that leaves, and nothing when it comes back', { timeout: 600_000 }, async () => {
    await forSeeds('a hundred peers', { seeds: 30, short: 1 }, async (seed) => {
      const world = new World(seed, 100)
      const { simulator } = world.group
      await world.start(40)
      expect(await simulator.runUntil(() => world.enough(), { limit: 30 * minute, every: 1_000 })).toBe(true)
      await simulator.run({ for: minute })
      const before = world.copies()
      // Copies are spread: no peer has more than a small part.
      const shares = world.keepers.map((host) => [...before].filter((copy) => copy.startsWith(`${host} `)).length)
      expect(Math.max(...shares)).toBeLessThanOrEqual(8)
      const [most] = shares.map((share, i) => ({ share, host: world.keepers[i]! })).sort((a, b) => b.share - a.share)
      simulator.host(most!.host).crash()
      const messages = simulator.traffic(['ann']).messages
      await simulator.run({ for: 60 * minute })
      expect(world.enough()).toBe(true)
      for (const cid of world.cids) expect(world.copiesOf(cid)).toBeGreaterThanOrEqual(range.min)
      const lost = most!.share
      const after = world.copies()
      const made = [...after].filter((copy) => !before.has(copy))
      const given = [...before].filter((copy) => !after.has(copy) && !copy.startsWith(`${most!.host} `))
      // Three copies are made and two are enough: one that is lost is not missed.
      expect(made.length).toBeLessThanOrEqual(lost)
      expect(given).toEqual([])
      // The watch goes on, with one message every five minutes, and each repair takes a few. Each counts for 100 receivers.
      expect(simulator.traffic(['ann']).messages - messages).toBeLessThan(100 * (2 * 14 + 10 * lost))
      await simulator.complete(world.group.boot(simulator.host(most!.host)))
      const back = world.copies()
      await simulator.run({ for: 30 * minute })
      expect(world.copies()).toEqual(back)
      await world.stop()
    })
  })

  it(
    'repairs when so many peers leave that copies are missing, beside peers that lie',
    { timeout: 600_000 },
    async () => {
      await forSeeds('repair beside liars', { seeds: 300, short: 4 }, async (seed) => {
        const world = new World(seed, 8, seed % 2 === 0 ? 0.05 : 0)
        const { simulator } = world.group
        for (const [i, conduct] of [yesSayer, silent].entries()) {
          await simulator.complete(misbehave(await world.group.start(`mallory-${i}`), conduct))
        }
        const random = simulator.random('leavers')
        await world.start(5, { watchEvery: 20_000, grace: 2 * minute, proveEvery: 5 * minute })
        expect(await simulator.runUntil(() => world.enough(), { limit: 60 * minute, every: 1_000 })).toBe(true)
        const leaving = world.keepers.filter(() => randomInteger(random, 2) === 0).slice(0, 5)
        for (const host of leaving) simulator.host(host).crash()
        await simulator.run({ for: 30 * minute })
        expect(world.enough()).toBe(true)
        for (const { cid, copies } of world.replication.statuses()) {
          expect(world.copiesOf(cid)).toBeGreaterThanOrEqual(range.min)
          expect(world.copiesOf(cid)).toBeLessThanOrEqual(range.max)
          // What the status says is so.
          for (const { by } of copies) {
            const host = world.keepers.find((each) => world.group.idOf(each) === by)
            expect(host).toBeDefined()
            expect(simulator.host(host!).store.has(cid)).toBe(true)
          }
        }
        await world.stop()
      })
    }
  )

  it('replaces a copy that a peer has thrown away', async () => {
    const world = new World(1, 6)
    const { simulator } = world.group
    await world.start(1, { watchEvery: 20_000, grace: 2 * minute, proveEvery: 5 * minute })
    const [cid] = world.cids
    await simulator.runUntil(() => world.replication.status(cid!)?.copies.length === 3, { limit: 10 * minute })
    const holders = world.keepers.filter((host) => simulator.host(host).store.has(cid!))
    expect(holders).toHaveLength(3)
    for (const host of holders.slice(0, 2)) {
      await simulator.complete(world.group.peer(host).data.unpin(cid!))
      simulator.host(host).store.blocks.clear()
    }
    await simulator.run({ for: 30 * minute })
    expect(world.copiesOf(cid!)).toBeGreaterThanOrEqual(range.min)
    expect(world.enough()).toBe(true)
  })

  it('keeps within its budgets, and says what it waits for', async () => {
    const world = new World(2, 5)
    const { simulator } = world.group
    await world.start(20, { watchEvery: minute, maxCopiesPerHour: 12 })
    await simulator.run({ for: 5 * minute })
    expect(world.copies().size).toBeLessThanOrEqual(13)
    expect(world.replication.statuses().filter(({ why }) => why === 'budget').length).toBeGreaterThan(5)
    expect(await simulator.runUntil(() => world.enough(), { limit: 10 * 60 * minute, every: minute })).toBe(true)
    // 60 copies at 12 an hour.
    expect(simulator.now).toBeGreaterThan(150 * minute)
  })

  it('does nothing while it is switched off, and then takes nobody for gone', async () => {
    const world = new World(3, 4)
    const { simulator } = world.group
    await world.start(3, { watchEvery: minute, grace: 5 * minute })
    world.replication.pause()
    await simulator.run({ for: 10 * minute })
    expect(world.copies().size).toBe(0)
    expect(world.replication.status(world.cids[0]!)).toMatchObject({ missing: 2, why: 'paused' })
    world.replication.resume()
    expect(await simulator.runUntil(() => world.enough(), { limit: 10 * minute, every: 1_000 })).toBe(true)
    const before = world.copies()
    world.replication.pause()
    await simulator.run({ for: 60 * minute })
    world.replication.resume()
    await simulator.run({ for: 3 * minute })
    expect(world.copies()).toEqual(before)
    expect(world.enough()).toBe(true)
  })

  it('finds the copies of an earlier run before it makes new ones', async () => {
    const world = new World(4, 6)
    const { simulator } = world.group
    await world.start(5)
    expect(await simulator.runUntil(() => world.enough(), { limit: 10 * minute, every: 1_000 })).toBe(true)
    await simulator.run({ for: minute })
    const before = world.copies()
    simulator.host('ann').crash()
    await simulator.run({ for: 5 * minute })
    world.ann = await simulator.complete(world.group.boot(simulator.host('ann')))
    world.replication = openReplication({ peer: world.ann })
    for (const cid of world.cids) world.replication.keep(cid, range)
    expect(await simulator.runUntil(() => world.enough(), { limit: 10 * minute, every: 1_000 })).toBe(true)
    await simulator.run({ for: 5 * minute })
    expect(world.copies()).toEqual(before)
  })

  it('gives up copies above the range, the same ones wherever it is computed', async () => {
    const world = new World(5, 6)
    const { simulator } = world.group
    await world.start(1)
    const [cid] = world.cids
    world.replication.keep(cid!, { min: 6, max: 6 })
    expect(await simulator.runUntil(() => world.copiesOf(cid!) === 6, { limit: 30 * minute, every: 1_000 })).toBe(true)
    await simulator.run({ for: minute })
    world.replication.keep(cid!, { min: 1, max: 2 })
    expect(await simulator.runUntil(() => world.copiesOf(cid!) === 2, { limit: 30 * minute, every: 1_000 })).toBe(true)
    await simulator.run({ for: 10 * minute })
    expect(world.copiesOf(cid!)).toBe(2)
  })

  it('counts a copy at a service until the service fails to answer twice, however short `grace` is', async () => {
    const world = new World(6, 0)
    const { simulator } = world.group
    const calls: string[] = []
    let answer: boolean | undefined = false
    const service = {
      name: 'service',
      has: async () => {
        calls.push('has')
        if (answer === undefined) throw new Error('the service does not answer')
        return answer
      },
      keep: async () => {
        calls.push('keep')
        answer = true
      },
      release: async () => undefined
    }
    await world.start(1, { services: [service], watchEvery: minute, grace: 5 * minute, proveEvery: 60 * minute })
    const [cid] = world.cids
    world.replication.keep(cid!, { min: 1, max: 1 })
    const copies = (): number => world.replication.status(cid!)?.copies.length ?? 0
    expect(await simulator.runUntil(() => copies() === 1, { limit: 5 * minute, every: 1_000 })).toBe(true)
    await simulator.run({ for: 30 * minute })
    expect([copies(), calls]).toEqual([1, ['has', 'keep']])
    // One question without an answer may be lost; two in a row are not.
    answer = undefined
    await simulator.run({ for: 90 * minute })
    expect(calls.filter((call) => call === 'has').length).toBeGreaterThan(2)
    expect(calls.filter((call) => call === 'keep')).toHaveLength(2)
    await world.stop()
  })

  it('makes copies at peers while a service is down', async () => {
    const world = new World(7, 3)
    const { simulator } = world.group
    const down = async (): Promise<never> => await Promise.reject(new Error('the service is down'))
    await world.start(1, { services: [{ name: 'service', has: down, keep: down, release: down }] })
    expect(await simulator.runUntil(() => world.enough(), { limit: 10 * minute, every: 1_000 })).toBe(true)
    expect(world.copiesOf(world.cids[0]!)).toBeGreaterThanOrEqual(range.min)
    await world.stop()
  })
})
