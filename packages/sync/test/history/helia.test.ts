import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { seededBytes, temporaryFolder, withSeed } from '@p2pl/tooling-vitest'
import { spawnScript } from '@p2pl/tooling-vitest/processes'
import type { RemoteScript } from '@p2pl/tooling-vitest/processes'
import { expect, test } from 'vitest'
import { topicWithHistory } from '../../src/history/index.ts'
import type { Stored } from './subscriber.process.ts'

const folder = temporaryFolder()
/** Resolves with the process once it is connected. */
async function subscriber(place: string, address: string): Promise<RemoteScript> {
  const script = spawnScript(new URL('subscriber.process.ts', import.meta.url), place, address)
  await told(script, (message) => message === 'connected')
  return script
}

async function told({ child }: RemoteScript, wanted: (message: unknown) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.on('message', (message) => {
    if (wanted(message)) resolve()
  })
  child.on('exit', () => {
    reject(new Error('the subscriber ended before it said so'))
  })
  await promise
}

test(
  'a process that is killed and started again from its folder gets what it missed, once',
  { timeout: 600_000 },
  async () => {
    await withSeed(1, async (_, random) => {
      const place = join(folder, 'subscriber')
      mkdirSync(place)
      await using peer = await createPeer({ backend: helia() })
      await using topic = await topicWithHistory({
        peer,
        topic: 'kept',
        store: join(folder, 'publisher'),
        beaconPeriod: 200
      })
      const address = peer.network.self()[0]!.addresses[0]!
      const published: { id: string; size: number }[] = []
      const publish = async (size: number): Promise<void> => {
        const { id } = await topic.publish(seededBytes(size, published.length))
        published.push({ id, size })
      }
      for (let round = 0; round < 4; round++) {
        // While it is down: small messages, and a large payload by CID.
        for (let i = 0; i < 20; i++) await publish(10 + i)
        await publish(300_000)
        const script = await subscriber(place, address)
        const writing = (async () => {
          for (let i = 0; i < 20; i++) await publish(10)
        })()
        // Killed in the middle of what it missed or of what is said meanwhile; the last one stays to the end.
        const before = published.length
        const enough = round === 3 ? before + 20 : before - 20 + Math.floor(random() * 29)
        await told(script, (count) => typeof count === 'number' && count >= enough)
        await script.kill()
        await writing
      }
      const { got } = JSON.parse(readFileSync(join(place, 'app.json'), 'utf8')) as Stored
      expect(got.map(({ id, size }) => ({ id, size }))).toEqual(published)
      expect(got[0]).toMatchObject({ history: true })
    })
  }
)
