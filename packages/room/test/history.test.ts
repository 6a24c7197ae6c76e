import { createMemoryNetwork } from '@p2pl/memory'
import { until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { enter, everybody, payloads } from './support/rooms.ts'

describe('history', () => {
  it('gives those that come late the last broadcasts, each once, with their authors', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network, { history: 5 })
    await using ben = await enter(network, { history: 5 })
    await everybody(ann, ben)
    for (let i = 0; i < 4; i++) await ann.room.send(`ann ${i}`)
    await until('ben has all', () => ben.heard.length === 4)
    for (let i = 0; i < 4; i++) await ben.room.send(`ben ${i}`)
    await ann.room.send('for ben alone', { to: ben.peer.id })
    await until('ann has all', () => ann.heard.length === 4)
    await using cleo = await enter(network, { history: 100 })
    await until('cleo has the last', () => cleo.heard.length >= 5)
    await everybody(ann, ben, cleo)
    await ann.room.send('live')
    await until('cleo has it', () => payloads(cleo).includes('live'))
    const past = cleo.heard.filter(({ history }) => history)
    // Of two authors with four each, five are kept: the one with more gives way.
    expect(new Set(past.map(({ payload }) => payload))).toEqual(new Set(['ann 2', 'ann 3', 'ben 1', 'ben 2', 'ben 3']))
    for (const { payload, sender } of past) {
      expect(sender).toBe((payload as string).startsWith('ann') ? ann.peer.id : ben.peer.id)
    }
    expect(new Set(cleo.heard.map(({ id }) => id)).size).toBe(cleo.heard.length)
  })

  it('outlives its authors, and has large payloads, too', async () => {
    const network = createMemoryNetwork()
    await using keeper = await enter(network, { history: 10 })
    const author = await enter(network, { history: 10 })
    await everybody(keeper, author)
    const large = 'x'.repeat(200_000)
    await author.room.send('first')
    await author.room.send(large)
    await until('the keeper has both', () => keeper.heard.length === 2)
    await author.room.leave()
    await using late = await enter(network, { history: 10 })
    await until('the late one has both', () => late.heard.length === 2)
    expect(payloads(late)).toEqual(expect.arrayContaining(['first', large]))
    expect(late.heard.every(({ sender, history }) => sender === author.peer.id && history)).toBe(true)
    await author.peer.stop()
  })

  it('comes to nobody that does not want it', async () => {
    const network = createMemoryNetwork()
    await using ann = await enter(network, { history: 10 })
    await ann.room.send('before')
    await using ben = await enter(network)
    await everybody(ann, ben)
    await ann.room.send('after')
    await until('the live one is there', () => ben.heard.length > 0)
    expect(payloads(ben)).toEqual(['after'])
  })
})
