import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describeInChromium, openSite } from '@p2pl/tooling-vitest/browser'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { install } from '../src/index.ts'
import { testRegistry } from '../src/test.ts'
import { bundlers, bundleWith } from './bundlers.ts'

const app = `import { createPeer, json } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { memory } from '@p2pl/memory'
import { joinRoom } from '@p2pl/room'
import { openView } from '@p2pl/sync'

async function content() {
  const peer = await createPeer({ backend: helia({ dir: 'page' }) })
  const { cid } = await peer.data.add('hello')
  const text = new TextDecoder().decode(await peer.data.bytes(cid))
  await peer.stop()
  return text
}

async function messages() {
  await using ann = await createPeer({ backend: memory() })
  await using ben = await createPeer({ backend: memory() })
  await using subscription = ben.topic('moves', { codec: json }).subscribe()
  await subscription.joined
  await ann.topic('moves', { codec: json }).publish({ to: 'e4' })
  return (await subscription.next()).value.payload.to
}

async function entries() {
  await using peer = await createPeer({ backend: memory() })
  const view = await openView({ peer, topic: 'notes', store: 'notes' })
  await view.append(new TextEncoder().encode('hello'))
  let count = 0
  for await (const entry of view.entries()) count += entry.clock
  await view.stop()
  return count
}

globalThis.page = { use: async () => [await content(), await messages(), await entries(), typeof joinRoom] }
`

describeInChromium('a page with packages from a registry', () => {
  const place = temporaryFolder()
  const registry = testRegistry()

  beforeAll(async () => {
    await install(
      registry,
      place,
      ['core', 'helia', 'memory', 'room', 'sync'].map((name) => `@p2pl/${name}`),
      'pnpm'
    )
    writeFileSync(join(place, 'app.js'), app)
  }, 300_000)

  it.each(Object.keys(bundlers))(
    'runs in Chromium, bundled by %s without configuration',
    { timeout: 300_000 },
    async (name) => {
      const site = await openSite(await bundleWith(name, place))
      try {
        const page = await site.open()
        expect(await page.call('use')).toEqual(['hello', 'e4', 1, 'function'])
        expect(page.problems).toEqual([])
      } finally {
        await site.close()
      }
    }
  )
})
