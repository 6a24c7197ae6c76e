import { flood, floodEnvelopes, replay } from '@p2pl/simulator'
import { forSeeds } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { secret, seesAll, talk, town, troubledMinute } from './support/simulated.ts'

const hosts = ['ann', 'ben', 'cleo', 'dan', 'eva', 'finn']

describe('a room in a troubled network', () => {
  it(
    'shows in the end who is here, delivers each message once and from its author, and handles each request once',
    { timeout: 1_200_000 },
    async () => {
      await forSeeds('rooms in trouble', { seeds: 100, short: 6 }, async (seed) => {
        const world = town(seed, { history: 500, ...(seed % 2 === 0 ? { secret } : {}) })
        const { simulator, lives, alive } = world
        if (seed % 3 === 0) replay(simulator.stranger('mallory'), await topicOf(seed), { after: 4_000, copies: 2 })
        await troubledMinute(world, seed, hosts)
        expect(alive.size).toBe(hosts.length)
        expect(await simulator.runUntil(() => seesAll(world), { limit: 60_000 })).toBe(true)

        talk(world, 1_000)
        const last = [...alive.values()].map(({ said }) => said.at(-1)!)
        const complete = (): boolean =>
          [...alive.values()].every(
            ({ host, heard }) =>
              last.filter((word) => word.startsWith(`${host}/`) || heard.some(({ payload }) => payload === word))
                .length === last.length
          )
        expect(await simulator.runUntil(complete, { limit: 60_000 })).toBe(true)

        const authors = new Map(lives.flatMap(({ room, said }) => said.map((word) => [word, room.id] as const)))
        for (const { room, heard, answers } of lives) {
          expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length)
          for (const { payload, sender } of heard) {
            expect(sender).toBe(authors.get(payload as string))
            expect(sender).not.toBe(room.id)
          }
          for (const [word, answer] of answers) expect(answer).toBe(`answer to ${word}`)
        }
        for (const { handled } of lives) for (const [, times] of handled) expect(times).toBe(1)
      })
    }
  )

  it('gives back what was lost on the way, from the history of others', { timeout: 1_200_000 }, async () => {
    await forSeeds('rooms beside strangers', { seeds: 100, short: 6 }, async (seed) => {
      const world = town(seed, { history: 500 })
      const { simulator, lives, alive, enter } = world
      for (const id of hosts) await simulator.complete(enter(simulator.host(id)))
      await simulator.runUntil(() => seesAll(world), { limit: 30_000 })
      const loss = simulator.disturb({ loss: 0.2 })
      const partition = simulator.partition(hosts.slice(0, 3), hosts.slice(3))
      for (let round = 0; round < 10; round++) {
        talk(world, round)
        await simulator.run({ for: 3_000 })
      }
      loss.end()
      partition.end()
      const said = lives.flatMap(({ host, said: words }) => words.map((word) => ({ host, word })))
      const complete = (): boolean =>
        [...alive.values()].every((life) => {
          const words = new Set(life.heard.map(({ payload }) => payload))
          return said.every(({ host, word }) => host === life.host || words.has(word))
        })
      expect(await simulator.runUntil(complete, { limit: 120_000 })).toBe(true)
      for (const { heard } of lives) expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length)
    })
  })
})

it('shows within three beats that a process is gone', async () => {
  await forSeeds('a peer that is gone', { seeds: 50, short: 5 }, async (seed) => {
    const [beat, latency] = [500, 60]
    const world = town(seed, { beat }, { latency: { min: 5, max: latency } })
    const { simulator, alive, enter } = world
    for (const id of ['ann', 'ben', 'cleo']) await simulator.complete(enter(simulator.host(id)))
    expect(await simulator.runUntil(() => seesAll(world), { limit: 30_000 })).toBe(true)
    await simulator.run({ for: 137 * seed })
    simulator.host('cleo').crash()
    alive.delete('cleo')
    expect(seesAll(world)).toBe(false)
    // Three beats of at most 1.2 periods after the last one has come; presence is looked at every second.
    expect(await simulator.runUntil(() => seesAll(world), { limit: latency + 3 * 1.2 * beat + 1_000 })).toBe(true)
  })
})

async function topicOf(seed: number): Promise<string> {
  const world = town(seed, seed % 2 === 0 ? { secret } : {})
  await world.simulator.complete(world.enter(world.simulator.host('ann')))
  return world.alive.get('ann')!.room.topic
}

describe('strangers', () => {
  it('show nobody who is not there by recordings, neither to newcomers nor to others', async () => {
    for (const options of [{}, { secret }]) {
      const world = town(1, options)
      const { simulator, alive, enter } = world
      for (const id of ['ann', 'ben']) await simulator.complete(enter(simulator.host(id)))
      const { topic } = alive.get('ann')!.room
      const recorded: Uint8Array[] = []
      const mallory = simulator.stranger('mallory')
      mallory.listen(topic, ({ payload }) => recorded.push(payload))
      await simulator.run({ for: 10_000 })
      talk(world, 1)
      await simulator.run({ for: 10_000 })
      const ben = alive.get('ben')!
      await simulator.complete(ben.room.leave())
      await simulator.run({ for: 20_000 })
      await simulator.complete(enter(simulator.host('cleo')))
      expect(recorded.length).toBeGreaterThan(8)
      for (const payload of recorded) mallory.publish(topic, payload)
      await simulator.run({ for: 20_000 })
      const cleo = alive.get('cleo')!
      expect([...cleo.room.peers.keys()]).toEqual([alive.get('ann')!.room.id])
      expect([...alive.get('ann')!.room.peers.keys()]).toEqual([cleo.room.id])
      // Neither what ben said, who has left, nor what ann said before cleo came.
      expect(cleo.heard).toEqual([])
    }
  })

  it('without the secret are not shown and read nothing, and a flood of theirs stops no talk', async () => {
    const world = town(2, { secret })
    const { simulator, alive, enter } = world
    for (const id of ['ann', 'ben']) await simulator.complete(enter(simulator.host(id)))
    const { topic } = alive.get('ann')!.room
    expect(topic).not.toContain('town')
    const mallory = simulator.stranger('mallory')
    const seen: Uint8Array[] = []
    mallory.listen(topic, ({ payload }) => seen.push(payload))
    floodEnvelopes(mallory, topic, { perSecond: 50 })
    flood(mallory, topic, { perSecond: 100 })
    await simulator.run({ for: 10_000 })
    const [ann, ben] = [alive.get('ann')!, alive.get('ben')!]
    await simulator.complete(ann.room.send('a secret word'))
    await simulator.complete(ben.room.send('for ann', { to: ann.room.id }))
    await simulator.run({ for: 2_000 })
    expect([ann.room.peers.size, ben.room.peers.size]).toEqual([1, 1])
    expect([ann.heard, ben.heard].map((heard) => heard.map(({ payload }) => payload))).toEqual([
      ['for ann'],
      ['a secret word']
    ])
    const read = seen.map((bytes) => String.fromCharCode(...bytes)).join()
    for (const word of ['a secret word', 'for ann', '"ann"', 'town']) expect(read).not.toContain(word)
  })

  it('in an open room cannot read what is sent to one peer', async () => {
    const world = town(3)
    const { simulator, alive, enter } = world
    for (const id of ['ann', 'ben']) await simulator.complete(enter(simulator.host(id)))
    const seen: Uint8Array[] = []
    const mallory = simulator.stranger('mallory')
    mallory.listen(alive.get('ann')!.room.topic, ({ payload }) => seen.push(payload))
    await simulator.run({ for: 2_000 })
    await simulator.complete(alive.get('ben')!.room.send('for ann alone', { to: alive.get('ann')!.room.id }))
    await simulator.run({ for: 2_000 })
    expect(alive.get('ann')!.heard).toHaveLength(1)
    expect(seen.map((bytes) => String.fromCharCode(...bytes)).join()).not.toContain('for ann alone')
  })
})
