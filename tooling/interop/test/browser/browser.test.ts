import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { encodeGenesis, initHome, LedgerNode, prepareHome } from '@p2pl/ledger'
import { openView } from '@p2pl/sync'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { bundle, describeInChromium, openSite, type RemotePage, type Site } from '@p2pl/tooling-vitest/browser'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'

const folder = temporaryFolder('p2pl-browser-')
const closers: (() => Promise<unknown>)[] = []
let site: Site

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** An embedded backend in Node through which pages take part. */
function hub(): ReturnType<typeof helia> {
  return helia({ listen: ['/ip4/127.0.0.1/tcp/0/ws'], relay: true })
}

async function openPage(): Promise<RemotePage> {
  const page = await site.open()
  closers.push(() => page.close())
  return page
}

describeInChromium('a view in a browser', () => {
  beforeAll(async () => {
    site = await openSite(await bundle(new URL('page.ts', import.meta.url)))
  })

  afterAll(async () => {
    await site.close()
  })

  it('converges with a peer in Node, with appends on both sides, and goes on after a reload', async () => {
    const backend = hub()
    const peer = await createPeer({ backend })
    closers.push(() => peer.stop())
    const view = await openView({ peer, topic: 'notes', store: join(folder, 'notes'), beaconPeriod: 500 })
    closers.push(() => view.stop())
    const [address] = backend.self()[0]?.addresses ?? []
    const page = await openPage()
    const equal = async (): Promise<void> => {
      await until('equal roots', async () => (await page.call('root')) === (await view.digest()).root.toString())
    }
    await page.call('start', { bootstrap: [address], dir: 'peer' })
    await page.call('open', { topic: 'notes', store: 'notes' })
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await Promise.all([page.call('append', `page ${i}`), view.append(new TextEncoder().encode(`Node ${i}`))])
      })
    )
    await until('all entries in Node', () => view.count === 40)
    await equal()

    await page.reload()
    await view.append(new TextEncoder().encode('while the page was away'))
    await page.call('start', { bootstrap: [address], dir: 'peer' })
    await page.call('open', { topic: 'notes', store: 'notes' })
    await equal()
    const payloads = await page.call<string[]>('payloads')
    expect(payloads).toHaveLength(41)
    expect(payloads).toContain('while the page was away')
  })

  it('has the ledger, and hands it on to another browser when nobody else is left', async () => {
    const [account, other] = await Promise.all([
      prepareHome(join(folder, 'ledger')),
      prepareHome(join(folder, 'other'))
    ])
    const genesis = encodeGenesis({
      network: 'browsers',
      balances: new Map([[account.id, 1_000n]]),
      witnesses: [account.id],
      salt: new Uint8Array(16)
    })
    const home = await initHome(join(folder, 'ledger'), genesis)
    const backend = hub()
    const peer = await createPeer({ backend, identity: home.identity })
    closers.push(() => peer.stop())
    const node = await LedgerNode.open({ home, peer, backend: 'helia', beaconPeriod: 500 })
    closers.push(() => node.stop())
    for (let i = 0; i < 10; i++) await node.transfer({ to: other.id, amount: 1n, memo: `memo ${i}` })
    const { root } = await node.status()

    const [address] = backend.self()[0]?.addresses ?? []
    const [a, b] = await Promise.all([openPage(), openPage()])
    await Promise.all([a, b].map((page) => page.call('start', { bootstrap: [address] })))
    await a.call('open', { topic: genesis.topic, store: 'ledger' })
    await until('the first page has the ledger', async () => (await a.call('root')) === root)
    await until(
      'the first page can be reached',
      async () => ((await a.call<{ addresses: string[] }[]>('self'))[0]?.addresses ?? []).length > 0
    )
    await b.call('connect', await a.call('self'))
    await node.stop()
    await peer.stop()
    await b.call('open', { topic: genesis.topic, store: 'ledger' })
    await until('the second page has the ledger', async () => (await b.call('root')) === root)
    expect((await b.call<string[]>('payloads')).filter((text) => text.includes('memo '))).toHaveLength(10)
  })
})
