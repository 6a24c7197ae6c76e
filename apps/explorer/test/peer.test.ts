import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import {
  type BalanceView,
  encodeGenesis,
  type EntryView,
  type GenesisView,
  initHome,
  LedgerNode,
  openHome,
  prepareHome,
  type Written
} from '@p2pl/ledger'
import type { PeerState } from '../src/peer/index.ts'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import {
  type Bundle,
  bundle,
  describeInChromium,
  openSite,
  type RemotePage,
  type Site
} from '@p2pl/tooling-vitest/browser'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'

/** A browser has to start and to compile on a machine that is busy with other tests. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })
const folder = temporaryFolder('p2pl-explorer-')
/** As strict as the page of the ledger: only its own code, connections only to itself and by WebSocket. */
const policy = "default-src 'none'; script-src 'self'; connect-src 'self' ws: wss:"
const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
const pages: RemotePage[] = []
let site: Site
let files: Bundle
let nodes: [LedgerNode, LedgerNode]
let genesis: GenesisView

async function openNode(name: string): Promise<LedgerNode> {
  const home = await openHome(join(folder, name))
  const peer = await createPeer({ backend: helia({ listen }), identity: home.identity })
  return await LedgerNode.open({ home, peer, backend: 'helia', beaconPeriod: 500 })
}

async function openPage(): Promise<RemotePage> {
  const page = await site.open()
  pages.push(page)
  return page
}

/** The arguments of the page's {@link joinLedger}. */
async function way(): Promise<{ genesis: GenesisView; nodes: unknown[] }> {
  const selves = await Promise.all(nodes.map(async (node) => (await node.status()).self))
  return { genesis, nodes: selves.flat() }
}

/**
 * The page and each node have the same entries and balances, and the state of the page is as expected. The page reports
 * a little later than it acts: all agree even before the report of its own entry.
 */
async function agreed(page: RemotePage, isExpected: (state: PeerState) => boolean = () => true): Promise<PeerState> {
  return await until('the page has the root and the balances of the nodes', async () => {
    const [first, second] = await Promise.all(nodes.map(async (node) => await node.status()))
    const state = await page.call<PeerState | undefined>('reported')
    const isEqual = [first, second].every((one) => one?.root === state?.root && one?.balances === state?.balances)
    return isEqual && state !== undefined && isExpected(state) && state
  })
}

describeInChromium('the page as a peer of the ledger', () => {
  beforeAll(async () => {
    files = await bundle(new URL('peer.page.ts', import.meta.url))
    site = await openSite(files, { 'content-security-policy': policy })
    const accounts = [await prepareHome(join(folder, 'alder')), await prepareHome(join(folder, 'birch'))]
    const block = encodeGenesis({
      network: 'explorer',
      balances: new Map(accounts.map(({ id }) => [id, 1_000n])),
      witnesses: accounts.map(({ id }) => id),
      salt: crypto.getRandomValues(new Uint8Array(16))
    })
    for (const name of ['alder', 'birch']) await initHome(join(folder, name), block)
    nodes = [await openNode('alder'), await openNode('birch')]
    const [self] = (await nodes[1].status()).self
    if (self !== undefined) await nodes[0].connect(self)
    genesis = await nodes[0].genesis()
  })

  afterEach(async () => {
    for (const page of pages.splice(0)) {
      // The page dialled a node that is gone. The browser logs that, whatever the page does with the error.
      expect(page.problems.filter((problem) => !problem.includes('ERR_CONNECTION_REFUSED'))).toEqual([])
      await page.close()
    }
  })

  afterAll(async () => {
    await site.close()
    for (const node of nodes) await node.stop()
  })

  it('has the root and the balances of the nodes, and follows them', async () => {
    const [alder, birch] = nodes
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => alder.transfer({ to: birch.account, amount: BigInt(i + 1) }))
    )
    const page = await openPage()
    await page.call('join', await way())
    const { entries } = await agreed(page, ({ connected }) => connected.length === 2)
    expect(entries).toBe(30)
    expect(await page.call<readonly BalanceView[]>('balances')).toEqual(await alder.balances())

    // An overdraft: the page judges by the rules, not by what others report.
    await birch.transfer({ to: alder.account, amount: 5_000n, force: true, memo: 'too much' })
    expect(await agreed(page, ({ entries: now }) => now > entries)).toMatchObject({
      entries: 31,
      accepted: 30,
      rejected: 1
    })
    const found = (await page.call<readonly EntryView[]>('entries')).find((entry) => 'memo' in entry)
    expect(found).toMatchObject({ status: 'rejected', reason: 'overdraft' })
  })

  it('survives a reload, with what came meanwhile, and pays from its own account', async () => {
    const [alder] = nodes
    const page = await openPage()
    const account = await page.call<string>('join', await way())
    const before = await agreed(page)
    await page.reload()
    await alder.transfer({ to: account, amount: 7n })
    expect(await page.call('join', await way())).toBe(account)
    const { entries } = await agreed(page, (state) => state.entries > before.entries)
    expect(entries).toBe(before.entries + 1)

    const { entry } = await page.call<Written>('pay', alder.account, 3)
    await agreed(page, (state) => state.entries > entries)
    expect(await alder.entry(entry.cid)).toMatchObject({ status: 'accepted', author: account, amount: '3' })
    expect(await alder.balance(account)).toMatchObject({ balance: '4' })
  })

  it('counts anew where its entries are others than it has counted', async () => {
    const page = await openPage()
    await page.call('join', await way())
    const { root } = await agreed(page)
    await page.call('stop')
    expect(await page.call('removeDatabases', '/entries')).toBe(1)
    await page.reload()
    await page.call('join', await way())
    expect((await agreed(page)).root).toBe(root)
    expect(await page.call<readonly BalanceView[]>('balances')).toEqual(await nodes[0].balances())
  })

  it('follows a node that comes back at another address', async () => {
    const page = await openPage()
    await page.call('join', await way())
    await agreed(page)
    await nodes[1].stop()
    await until('the page notices', async () => (await page.call<PeerState>('reported')).connected.length === 1)
    nodes[1] = await openNode('birch')
    const [self] = (await nodes[1].status()).self
    await page.call('connect', self)
    await nodes[1].transfer({ to: nodes[0].account, amount: 1n })
    await agreed(page, ({ connected }) => connected.length === 2)
  })

  it('is one peer in two tabs: the second waits for the first, and goes on with what it had', async () => {
    const browser = await openPage()
    const [first, second] = [await browser.openTab(), await browser.openTab()]
    pages.push(first, second)
    const account = await first.call<string>('join', await way())
    const { root } = await agreed(first)
    await second.call('joinLater', await way())
    await until('the second tab is told', async () => await second.call('holder'))
    await first.close()
    expect((await agreed(second)).root).toBe(root)
    expect((await second.call<PeerState>('reported')).account).toBe(account)
  })

  it('refuses a genesis that is not the named one, and nodes that a page cannot dial', async () => {
    const page = await openPage()
    const { nodes: dialable } = await way()
    const forged = { ...genesis, network: 'another' }
    expect(await page.call('refusal', { genesis: forged, nodes: dialable })).toMatchObject({ code: 'INVALID_CONTENT' })
    const [{ network, id } = { network: '', id: '' }] = (await nodes[0].status()).self
    const unreachable = { network, id, addresses: [`/ip4/127.0.0.1/tcp/1/p2p/${id}`] }
    expect(await page.call('refusal', { genesis, nodes: [unreachable] })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('--listen') as string
    })
  })

  it('is loaded when it is called for, and not with the page', () => {
    const page = files.get('/page.js') ?? ''
    expect(page).toContain('import(')
    expect(page.length).toBeLessThan(20_000)
    expect([...files.values()].join('').length).toBeGreaterThan(500_000)
  })
})
