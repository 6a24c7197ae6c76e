import { createPeer } from '@p2pl/core'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { createSecret } from '../../src/index.ts'
import { type Engine, engines } from './engines.ts'
import type { Heard, Progress } from './peer.process.ts'
import { hears, type RemotePeer, seeEachOther, startPeer, startRoom } from './remote.ts'

const fileBytes = 5 * 1024 * 1024
const decoder = new TextDecoder('latin1')

/** A room over a real engine, each peer in a process of its own. */
export function roomOver(engine: Engine): void {
  describe(`a room over ${engine}`, () => {
    it('carries messages, requests and large payloads between two processes, and gives a third what it missed', async () => {
      const options = { secret: createSecret(), history: 100 }
      const [ann, ben] = (await startRoom(engine, ['Ann', 'Ben'], options)) as [RemotePeer, RemotePeer]
      await ann.ask('send', 'who has a drill?')
      expect(await hears(ben, 'who has a drill?')).toEqual([
        { sender: ann.id, payload: 'who has a drill?', direct: false, history: false }
      ])
      await ben.ask('send', 'for Ann alone', ann.id)
      expect(await hears(ann, 'for Ann alone')).toMatchObject([{ sender: ben.id, direct: true }])
      expect(await ann.ask('request', ben.id, 'drill')).toBe('Ben has a drill')

      const digest = await ann.ask<string>('sendFile', fileBytes, 1)
      await hears(ben, digest)
      const whole = { bytes: fileBytes, total: fileBytes }
      expect((await ann.ask<Progress[]>('progress')).at(-1)).toEqual(whole)
      const progress = await ben.ask<Progress[]>('progress')
      expect(progress.length).toBeGreaterThan(10)
      expect(progress).toEqual(progress.toSorted((a, b) => a.bytes - b.bytes))
      expect(progress.at(-1)).toEqual(whole)

      const cleo = await startPeer(engine, 'Cleo', options)
      await cleo.ask('connect', ben.self)
      await seeEachOther(ann, ben, cleo)
      for (const payload of ['who has a drill?', digest]) {
        const found = await hears(cleo, payload)
        expect(found).toMatchObject([{ sender: ann.id, history: true }])
      }
      expect((await cleo.ask<Heard[]>('heard')).map(({ payload }) => payload)).not.toContain('for Ann alone')
    })

    it('shows that a process was killed or stands still, and sees one that goes on', async () => {
      const [ann, ben, cleo] = (await startRoom(engine, ['Ann', 'Ben', 'Cleo'], { history: 100 })) as [
        RemotePeer,
        RemotePeer,
        RemotePeer
      ]
      // How soon is judged in virtual time: `../simulated.test.ts`.
      await cleo.kill()
      await seeEachOther(ann, ben)

      ben.child.kill('SIGSTOP')
      await until('Ann is alone', async () => (await ann.ask<string[]>('names')).length === 0)
      await ann.ask('send', 'while Ben stood still')
      ben.child.kill('SIGCONT')
      await seeEachOther(ann, ben)
      expect(await hears(ben, 'while Ben stood still')).toHaveLength(1)
      await ben.ask('send', 'here I am again')
      expect(await hears(ann, 'here I am again')).toHaveLength(1)
    })

    it('tells a stranger that records everything neither content nor names', async () => {
      // Long ones: three letters are found by chance in 5 MiB of ciphertext.
      const names = ['Annemarie', 'Benedict']
      const words = [...names, 'tool-library', 'a word for all', 'a word for Ben']
      words.push(decoder.decode(seededBytes(fileBytes, 2).subarray(0, 32)))
      for (const secret of [undefined, createSecret()]) {
        await using stranger = await createPeer({ backend: engines[engine]() })
        const [ann, ben] = (await startRoom(engine, names, { secret })) as [RemotePeer, RemotePeer]
        for (const { self } of [ann, ben]) await stranger.network.connect(self)
        const recorded = [ann.topic]
        const recording = stranger.topic(ann.topic, { mode: 'raw' }).subscribe()
        await recording.joined
        void (async () => {
          for await (const item of recording) if (item.type === 'message') recorded.push(decoder.decode(item.payload))
        })()
        await until('the stranger is in the topic', async () => {
          const inTopic = await stranger.topic(ann.topic, { mode: 'raw' }).peers()
          return inTopic.length === 2
        })
        await ann.ask('send', 'a word for all')
        await ann.ask('send', 'a word for Ben', ben.id)
        await ann.ask('sendFile', fileBytes, 2)
        await until('Ben has all three', async () => (await ben.ask<Heard[]>('heard')).length === 3)
        await ben.ask('send', 'the end')
        await hears(ann, 'the end')
        const found = (): string[] => words.filter((word) => recorded.join().includes(word))
        const enough = recorded.length + 4
        // In an open room the names are in beats, of which each peer sends its own.
        await until('the stranger has beats from after the end', () =>
          secret === undefined ? found().length >= 4 : recorded.length >= enough
        )
        const [cid = ''] = await ann.ask<string[]>('stored')
        recorded.push(decoder.decode(await stranger.data.bytes(cid, { providers: ann.self })))
        // In an open room it reads what is not sent to one peer: the search does find what is there. A large payload is stored
        // encrypted in any case, and its key is in the message.
        expect(found()).toEqual(secret === undefined ? words.slice(0, 4) : [])
      }
    })

    it('brings two Yjs documents to one text, also after a partition', async () => {
      const [ann, ben] = (await startRoom(engine, ['Ann', 'Ben'], { secret: createSecret() })) as [
        RemotePeer,
        RemotePeer
      ]
      await Promise.all([ann.ask('write', 'Ann first. '), ben.ask('write', 'Ben first. ')])
      await equal(ann, ben, ['Ann first', 'Ben first'])
      await ben.ask('pullCable', true)
      await Promise.all([ann.ask('write', 'Ann alone. '), ben.ask('write', 'Ben alone. ')])
      await until('both are alone', async () => {
        const seen = await Promise.all([ann, ben].map(async ({ ask }) => await ask<string[]>('names')))
        return seen.every(({ length }) => length === 0)
      })
      expect(await ann.ask('text')).not.toContain('Ben alone')
      expect(await ben.ask('text')).not.toContain('Ann alone')
      await ben.ask('pullCable', false)
      await equal(ann, ben, ['Ann alone', 'Ben alone'])
    })
  })
}

async function equal(ann: RemotePeer, ben: RemotePeer, parts: readonly string[]): Promise<void> {
  const all = await until('both have one text', async () => {
    const [a, b] = await Promise.all([ann.ask<string>('text'), ben.ask<string>('text')])
    return a === b && parts.every((part) => a.includes(part)) && a
  })
  for (const part of parts) expect(all.split(part)).toHaveLength(2)
}
