import { conformance } from '@p2pl/conformance'
import { bundle, needChromium, openSite, type RemotePage, type Site } from '@p2pl/tooling-vitest/browser'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { helia, type HeliaNode } from '../../src/index.ts'
import { fixture } from './fixture.ts'

let site: Site | undefined
const relays = new Map<string, HeliaNode>()

afterAll(async () => {
  await site?.close()
  await Promise.all([...relays.values()].map((relay) => relay.stop()))
})

async function openPage(): Promise<RemotePage> {
  site ??= await openSite(await bundle(new URL('conformance.page.ts', import.meta.url)))
  return await site.open({
    startRelay: async () => {
      const relay = helia({ listen: ['/ip4/127.0.0.1/tcp/0/ws'], relay: true })
      await relay.start()
      const address = relay.self().addresses[0] as string
      relays.set(address, relay)
      return address
    },
    stopRelay: async (address) => {
      await relays.get(address as string)?.stop()
      relays.delete(address as string)
    }
  })
}

for (const kit of ['memory', 'database'] as const) {
  let page: Promise<RemotePage> | undefined
  let count = 0

  const runner = {
    describe,
    it: (name: string) => {
      const index = count++
      it(name, async () => {
        page ??= openPage().then(async (opened) => {
          // The list of tests that Node has made is the page's own.
          expect(await opened.call('load', kit)).toBe(count)
          return opened
        })
        const wrong = await (await page).call<string | undefined>('run', index)
        if (wrong !== undefined) throw new Error(wrong)
      })
    }
  }

  describe('in a browser', () => {
    beforeEach((context) => {
      needChromium(context)
    })
    conformance(
      runner,
      fixture(kit, () => Promise.reject(new Error('the tests run in the page')))
    )
  })
}
