import type { Peer, Receipt } from '@p2pl/core'
import { applySchedule, inventedCid, randomInteger, randomSchedule, replay } from '@p2pl/simulator'
import { forSeeds, seededBytes } from '@p2pl/tooling-vitest'
import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { askFor, busy, copyist, misbehave, recorder, silent, yesSayer } from './support/hostile.ts'
import { Group, kibibyte, putDag, topic } from './support/simulated.ts'

const honest = ['ben', 'cleo', 'dan', 'eva', 'finn', 'gil']
/** Two of the three strangers find room, each for one of their contents. */
const strangerBytes = 30 * kibibyte

/** One add of ann and what came of it. */
interface Added {
  receipt?: Receipt
  failed?: unknown
}

describe('receipts in a troubled network with a third of hostile peers', () => {
  it(
    'claim nothing that is not so, reach their goal, and keep the budgets of strangers',
    { timeout: 600_000 },
    async () => {
      await forSeeds('receipts', { seeds: 300, short: 4 }, async (seed) => {
        const group = new Group({ seed, loss: seed % 2 === 0 ? 0.1 : 0 })
        const { simulator } = group
        const random = simulator.random('test')
        const ann = await group.start('ann')
        const keep = {
          peers: [ann.id],
          maxBytes: 64 * 1024 * kibibyte,
          maxStrangerBytes: strangerBytes,
          maxStrangerBytesEach: 16 * kibibyte
        }
        for (const host of honest) await group.start(host, keep)
        const conducts = [yesSayer, silent, busy, copyist(), recorder()]
        const hostile = [0, 1, 2].map((i) => conducts[(seed + i) % conducts.length]!)
        for (const [i, conduct] of hostile.entries()) {
          const peer = await group.start(`mallory-${i}`)
          await simulator.complete(misbehave(peer, conduct))
          const cids: CID[] = []
          for (let n = 0; n < 6; n++) {
            const content = seededBytes(12 * kibibyte, 10 * i + n)
            cids.push((await simulator.complete(peer.data.add(content, { provide: false }))).cid)
          }
          simulator.after(1_000, () => flood(peer, cids))
        }
        function flood(peer: Peer, cids: readonly CID[]): void {
          const to = honest.map((host) => group.idOf(host))
          const nonce = Uint8Array.from({ length: 16 }, () => randomInteger(random, 256))
          askFor(peer, to, cids[randomInteger(random, cids.length)]!, 12 * kibibyte, nonce)
          if (simulator.now < 60_000) simulator.after(300, () => flood(peer, cids))
        }
        replay(simulator.stranger('echo'), topic, { after: 2_000, copies: 1 })

        const schedule = randomSchedule(simulator.random('schedule'), { hosts: honest, duration: 60_000, maxFaults: 8 })
        applySchedule(
          simulator,
          {
            ...schedule,
            hosts: [],
            faults: schedule.faults
              .filter(({ kind }) => kind !== 'late')
              .map((fault) => (fault.kind === 'crash' ? { ...fault, power: false } : fault))
          },
          { start: group.boot, crashed: ({ id }) => group.peers.delete(id) }
        )

        const added: Added[] = []
        const add = async (n: number): Promise<void> => {
          const one: Added = {}
          added.push(one)
          const goal = { replicas: 2, timeout: 600_000 }
          try {
            const { cids } = n === 0 ? { cids: [] } : await putDag(ann, seed * 100 + n)
            const receipt =
              n === 0
                ? (await ann.data.add(seededBytes(5_000, seed), { ...goal, until: 'retrievable' })).receipt
                : await ann.data.reach(cids[0]!, goal)
            one.receipt = receipt
            const hosts = receipt.acknowledgements.map(({ peer }) => honest.find((host) => group.idOf(host) === peer))
            expect(hosts).not.toContain(undefined)
            expect(new Set(hosts).size).toBe(2)
            for (const host of hosts) expect(group.holds(host!, [receipt.cid, ...cids])).toBe(true)
          } catch (error) {
            one.failed = error
          }
        }
        for (const at of [0, 20_000, 40_000]) simulator.after(at, () => void add(at))
        const done = (): boolean =>
          added.length === 3 && added.every(({ receipt, failed }) => receipt !== undefined || failed !== undefined)
        expect(await simulator.runUntil(done, { limit: 300_000, every: 100 })).toBe(true)
        expect(added.map(({ failed }) => failed)).toEqual([undefined, undefined, undefined])
        await simulator.runUntil(() => simulator.now > 70_000)
        const mine = simulator.host('ann').store
        for (const host of honest) {
          let strangers = 0
          for (const { cid, bytes } of simulator.host(host).store.blocks.values())
            if (!mine.has(cid)) strangers += bytes.byteLength
          expect(strangers).toBeLessThanOrEqual(strangerBytes)
        }
      })
    }
  )
})

describe('a peer that keeps content for others', () => {
  const hour = 3_600_000
  const kept = 100 * kibibyte

  async function pair(): Promise<{ group: Group; ann: Peer; cid: CID }> {
    const group = new Group({ seed: 1 })
    const ann = await group.start('ann')
    await group.start('ben', { peers: [ann.id], maxBytes: 1024 * kibibyte })
    const { cid } = await group.simulator.complete(ann.data.add(seededBytes(kept, 1), { until: 'retrievable' }))
    return { group, ann, cid }
  }

  const free = async (group: Group): Promise<number | undefined> =>
    (await group.simulator.complete(group.peer('ann').data.willing()))[0]?.free

  it('keeps it for the term from the last ask, and then removes it', async () => {
    const { group, ann, cid } = await pair()
    const { simulator } = group
    await simulator.run({ for: 20 * hour })
    await simulator.complete(ann.data.reach(cid))
    await simulator.run({ for: 20 * hour })
    expect(group.bytesOn('ben')).toBe(kept)
    await simulator.run({ for: 5 * hour })
    expect([group.bytesOn('ben'), simulator.host('ben').store.pins.size]).toEqual([0, 0])
    expect(await free(group)).toBe(1024 * kibibyte)
  })

  it('remembers it over a crash, whatever the wall clock says, and counts what it cannot remove for sure until gc', async () => {
    const { group, cid } = await pair()
    const { simulator } = group
    simulator.host('ben').crash()
    simulator.host('ben').skew = -1000 * hour
    await simulator.run({ for: 100 * hour })
    const ben = await simulator.complete(group.boot(simulator.host('ben')))
    expect(await free(group)).toBe(1024 * kibibyte - kept - 256)
    await simulator.run({ for: 25 * hour })
    expect(simulator.host('ben').store.pins.size).toBe(0)
    expect(simulator.host('ben').store.has(cid)).toBe(true)
    expect(await free(group)).toBe(1024 * kibibyte - kept - 256)
    await simulator.complete(
      (async () => {
        for await (const _ of ben.data.gc()) void _
      })()
    )
    expect(group.bytesOn('ben')).toBe(0)
    expect(await free(group)).toBe(1024 * kibibyte)
  })

  it('lets what it has promised come to its end when it is to keep nothing any more', async () => {
    const { group } = await pair()
    const { simulator } = group
    simulator.host('ben').crash()
    await group.start('ben', {})
    await simulator.run({ for: 12 * hour })
    expect(simulator.host('ben').store.pins.size).toBe(1)
    await simulator.run({ for: 13 * hour })
    expect(simulator.host('ben').store.pins.size).toBe(0)
  })

  it('is refused its start with a record that is damaged, and says what to do', async () => {
    const { group } = await pair()
    const host = group.simulator.host('ben')
    host.crash()
    host.disk.set('secrets/receipts', Uint8Array.of(1, 2, 3))
    await expect(group.simulator.complete(group.boot(host))).rejects.toMatchObject({ code: 'STORAGE' })
  })

  it('gives a stranger whose content nobody has no more than a little of its time', async () => {
    const group = new Group({ seed: 2 })
    const { simulator } = group
    const ann = await group.start('ann')
    const strangers = { maxStrangerBytes: 1024 * kibibyte, maxStrangerBytesEach: 512 * kibibyte }
    await group.start('ben', { peers: [ann.id], maxBytes: 1024 * kibibyte, ...strangers })
    const mallory = await group.start('mallory')
    const random = simulator.random('cids')
    const end = simulator.stranger('clock').repeat(5, () => {
      const nonce = Uint8Array.from({ length: 16 }, () => randomInteger(random, 256))
      askFor(mallory, [group.idOf('ben')], inventedCid(random), 1000, nonce)
    })
    const before = simulator.host('ben').traffic.requests
    await simulator.run({ for: 30_000 })
    const began = simulator.now
    const { receipt } = await simulator.complete(ann.data.add('honest', { until: 'retrievable' }))
    expect(receipt.acknowledgements).toHaveLength(1)
    expect(simulator.now - began).toBeLessThan(3_000)
    await simulator.run({ for: hour / 2 })
    end.end()
    expect(simulator.host('ben').traffic.requests - before).toBeLessThan(100)
    expect(group.bytesOn('ben')).toBe(6)
  })

  it('answers no stranger unless it keeps content for strangers', async () => {
    const { group } = await pair()
    const { simulator } = group
    const mallory = await group.start('mallory')
    // The ends of streams are repeated for a while.
    await simulator.run({ for: 60_000 })
    const sent = simulator.host('ben').traffic.messages
    expect(await simulator.complete(mallory.data.willing())).toEqual([])
    const asked = mallory.data.add('x', { until: 'retrievable', timeout: 10_000, provide: false })
    await expect(simulator.complete(asked)).rejects.toMatchObject({ code: 'NO_PEERS' })
    expect(simulator.host('ben').traffic.messages).toBe(sent)
  })
})
