import { conformance } from '@p2pl/conformance'
import { bundle, describeInChromium, openSite, type RemotePage, type Site } from '@p2pl/tooling-vitest/browser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { helia, type HeliaNode } from '../../src/index.ts'
import { selfOf } from '../self.ts'
import { fixture } from './fixture.ts'

const helpers = new Map<string, HeliaNode[]>()
const socket = { listen: ['/ip4/127.0.0.1/tcp/0/ws'] }

async function openPage(site: Site): Promise<RemotePage> {
  return await site.open({
    startHelpers: async () => {
      // The relay keeps no records: a page that is connected to it only is alone.
      const relay = helia({ ...socket, relay: true, dht: false })
      const records = helia(socket)
      await Promise.all([relay.start(), records.start()])
      helpers.set(selfOf(relay).id, [relay, records])
      return { relay: selfOf(relay), records: selfOf(records) }
    },
    stopHelpers: async (relay) => {
      await Promise.all((helpers.get(relay as string) ?? []).map((helper) => helper.stop()))
      helpers.delete(relay as string)
    }
  })
}

describeInChromium('in a browser', () => {
  let site: Site
  let page: RemotePage
  let count = 0
  const runner = {
    describe,
    it: (name: string) => {
      const index = count++
      it(name, async () => {
        const wrong = await page.call<string | undefined>('run', index)
        if (wrong !== undefined) throw new Error(wrong)
      })
    }
  }
  beforeAll(async () => {
    site = await openSite(await bundle(new URL('conformance.page.ts', import.meta.url)))
    page = await openPage(site)
    // The list of tests that Node has made is the page's own.
    expect(await page.call('load')).toBe(count)
  })

  afterAll(async () => {
    await site.close()
    await Promise.all([...helpers.values()].flat().map((helper) => helper.stop()))
  })

  conformance(
    runner,
    fixture(() => Promise.reject(new Error('the tests run in the page')))
  )
})
