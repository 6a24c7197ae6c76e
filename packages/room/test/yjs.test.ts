import { createPeer } from '@p2pl/core'
import { createMemoryNetwork } from '@p2pl/memory'
import { createSimulator } from '@p2pl/simulator'
import { until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { Doc } from 'yjs'
import { createSecret, joinRoom } from '../src/index.ts'
import { bindDocument } from '../src/yjs.ts'
import { enter } from './support/rooms.ts'

const textOf = (doc: Doc): string => doc.getText('t').toJSON()

it('keeps two documents equal that are changed at the same time, and gives a third what it missed', async () => {
  const network = createMemoryNetwork()
  const secret = createSecret()
  const [annDoc, benDoc, cleoDoc] = [new Doc(), new Doc(), new Doc()]
  annDoc.getText('t').insert(0, 'before they met. ')
  await using ann = await enter(network, { secret })
  using annBound = bindDocument(ann.room, annDoc)
  await using ben = await enter(network, { secret })
  using benBound = bindDocument(ben.room, benDoc)
  await Promise.all([annBound.synced, benBound.synced])
  for (let i = 0; i < 20; i++) {
    annDoc.getText('t').insert(0, `a${i} `)
    benDoc.getText('t').insert(0, `b${i} `)
    benDoc.getMap('m').set('last', i)
  }
  await until('both are equal', () => textOf(annDoc) === textOf(benDoc) && annDoc.getMap('m').get('last') === 19)
  expect(textOf(annDoc)).toContain('before they met')

  const large = 'x'.repeat(500_000)
  annDoc.getText('t').insert(0, large)
  await using cleo = await enter(network, { secret })
  using cleoBound = bindDocument(cleo.room, cleoDoc)
  await cleoBound.synced
  await until('all are equal', () => [benDoc, cleoDoc].every((doc) => textOf(doc) === textOf(annDoc)))
  expect(textOf(cleoDoc)).toContain(large)

  cleoBound.close()
  cleoDoc.getText('t').insert(0, 'for cleo alone')
  annDoc.getText('t').insert(0, 'for all others')
  await until('ben has it', () => textOf(benDoc) === textOf(annDoc))
  expect(textOf(cleoDoc)).toMatch(/^for cleo alone/)
  expect(textOf(benDoc)).toMatch(/^for all others/)
})

it('takes no harm from what is no update', async () => {
  const network = createMemoryNetwork()
  await using ann = await enter(network)
  await using mallory = await enter(network)
  const doc = new Doc()
  doc.getText('t').insert(0, 'still here')
  using bound = bindDocument(ann.room, doc)
  const codec = { name: 'raw', encode: (value: Uint8Array) => value, decode: (value: Uint8Array) => value }
  const channel = mallory.room.channel('yjs', { codec })
  channel.onRequest(() => Uint8Array.of(255, 255, 255))
  await bound.synced
  for (const bytes of [Uint8Array.of(1, 2, 3), new Uint8Array(100).fill(255)]) await channel.send(bytes)
  await mallory.room.send('done')
  await until('ann has it', () => ann.heard.length === 1)
  expect(textOf(doc)).toBe('still here')
})

it('comes to one state in a network that loses a third of all messages and is cut in two', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const simulator = createSimulator({ seed })
    const docs: Doc[] = []
    const ids = ['ann', 'ben', 'cleo', 'dan']
    const loss = simulator.disturb({ loss: 0.33 })
    for (const id of ids) {
      const peer = await simulator.complete(createPeer(simulator.host(id).boot()))
      const doc = new Doc()
      docs.push(doc)
      bindDocument(await simulator.complete(joinRoom(peer, 'text')), doc)
    }
    const write = async (): Promise<void> => {
      for (const [i, doc] of docs.entries()) doc.getText('t').insert(0, `${ids[i]} at ${simulator.now}. `)
      await simulator.run({ for: 500 })
    }
    for (let i = 0; i < 20; i++) await write()
    const partition = simulator.partition(ids.slice(0, 2), ids.slice(2))
    for (let i = 0; i < 80; i++) await write()
    partition.end()
    loss.end()
    const equal = (): boolean => docs.every((doc) => textOf(doc) === textOf(docs[0]!))
    expect(await simulator.runUntil(equal, { limit: 120_000 }), `seed ${seed}`).toBe(true)
    expect(textOf(docs[0]!).split('. ')).toHaveLength(401)
  }
}, 600_000)
