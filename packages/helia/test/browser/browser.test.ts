import { join } from 'node:path'
import { createPeer, type Peer, type PeerInfo } from '@p2pl/core'
import { freePort, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { bundle, describeInChromium, openSite, type RemotePage, type Site } from '@p2pl/tooling-vitest/browser'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { helia, type HeliaNode, type HeliaOptions } from '../../src/index.ts'
import { selfOf } from '../self.ts'
import { Cable, type Place } from './cable.ts'

const temporary = temporaryFolder('p2pl-browser-')
const megabytes = 3 * 1024 * 1024 + 17

let site: Site
const toClose: (() => Promise<unknown>)[] = []

afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()))
})

async function openPage(functions?: Parameters<Site['open']>[0]): Promise<RemotePage> {
  const page = await site.open(functions)
  toClose.push(() => page.close())
  return page
}

function newCable(): Cable {
  const cable = new Cable()
  toClose.push(() => cable.close())
  return cable
}

function portOf(address: string): number {
  return Number(/tcp\/(\d+)/.exec(address)?.[1])
}

interface NodePeer {
  readonly peer: Peer
  readonly backend: HeliaNode
  /** Where pages dial it. */
  readonly address: string
}

async function node(options?: HeliaOptions): Promise<NodePeer> {
  const backend = helia({ listen: ['/ip4/127.0.0.1/tcp/0/ws'], relay: true, ...options })
  const peer = await createPeer({ backend })
  toClose.push(() => peer.stop())
  return { peer, backend, address: selfOf(backend).addresses.find((text) => text.includes('/ws'))! }
}

/** A page that takes part, connected to the node. */
async function joined(address: string, options?: HeliaOptions): Promise<{ page: RemotePage; id: string }> {
  const page = await openPage()
  const { id } = await page.call<{ id: string }>('start', { bootstrap: [address], ...options })
  return { page, id }
}

/** The address by which others reach a page: there as soon as it has a slot at the relay. */
async function reachable(page: RemotePage): Promise<PeerInfo> {
  return await until('the page has an address', async () => {
    const self = await page.call<PeerInfo>('self')
    return self.addresses.length > 0 && self
  })
}

function pattern(size: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) % 251)
}

async function hears(page: RemotePage, topic: string, text: string): Promise<void> {
  await until(`the page hears ${text}`, async () => (await page.call<string[]>('heard', topic)).includes(text))
}

async function seesIn(page: RemotePage, topic: string, id: string): Promise<void> {
  await until(`the page sees ${id}`, async () => (await page.call<string[]>('peers', topic)).includes(id))
}

describeInChromium('helia in a browser', () => {
  beforeAll(async () => {
    site = await openSite(await bundle(new URL('page.ts', import.meta.url)))
  })

  afterAll(async () => {
    await site.close()
  })

  it('talks and exchanges data with Node over WebSockets', async () => {
    const { peer, backend, address } = await node()
    const { page } = await joined(address)
    const subscription = peer.topic('cloud').subscribe()
    await subscription.joined
    await page.call('listen', 'cloud')
    await seesIn(page, 'cloud', selfOf(backend).id)
    await page.call('say', 'cloud', 'from the page')
    const { value: item } = await subscription.next()
    expect(item?.type === 'message' && new TextDecoder().decode(item.payload)).toBe('from the page')
    await peer.topic('cloud').publish(new TextEncoder().encode('from Node'))
    await hears(page, 'cloud', 'from Node')

    for (const size of [5, megabytes]) {
      const fromPage = await page.call<string>('add', size, 1)
      expect(Buffer.compare(await peer.data.bytes(fromPage), pattern(size, 1))).toBe(0)
      const { cid } = await peer.data.add(pattern(size, 2))
      expect(await page.call('holds', cid.toString(), size, 2)).toBe(true)
    }
    expect(await page.call('connections')).toEqual([{ peer: selfOf(backend).id, address }])
    expect(page.problems).toEqual([])
  })

  it('talks and exchanges data with another browser over WebRTC', async () => {
    const { peer, backend, address } = await node()
    const [a, b] = await Promise.all([joined(address), joined(address)])
    await a.page.call('connect', await reachable(b.page))
    const ways = [
      ...(await until('A is connected', async () => direct(a.page, b.id))),
      ...(await until('B is connected', async () => direct(b.page, a.id)))
    ]
    // One has dialled, through the relay, and the other has not. Both may have, at once.
    for (const way of ways) expect(way).toMatch(/(^|\/p2p-circuit)\/webrtc\/p2p\//)
    expect(ways.some((way) => way.includes('/p2p-circuit/'))).toBe(true)
    // By this a page knows at once when the other has gone; without it, up to ten seconds later.
    for (const { page } of [a, b]) expect(new Set(await page.call<string[]>('dtls'))).toEqual(new Set(['connected']))
    // Without the relay: what follows passes through nobody.
    const { id } = selfOf(backend)
    await peer.stop()
    for (const { page } of [a, b]) await until('the relay is gone', async () => !(await direct(page, id)))

    await Promise.all([a.page.call('listen', 'cloud'), b.page.call('listen', 'cloud')])
    await Promise.all([seesIn(a.page, 'cloud', b.id), seesIn(b.page, 'cloud', a.id)])
    await a.page.call('say', 'cloud', 'from A')
    await hears(b.page, 'cloud', 'from A')
    await b.page.call('say', 'cloud', 'from B')
    await hears(a.page, 'cloud', 'from B')
    for (const size of [5, megabytes]) {
      expect(await b.page.call('holds', await a.page.call<string>('add', size, 3), size, 3)).toBe(true)
      expect(await a.page.call('holds', await b.page.call<string>('add', size, 4), size, 4)).toBe(true)
    }
  })

  it('agrees on WebRTC at the first attempt, however late it is itself', async () => {
    const { address } = await node()
    const [late, other] = await Promise.all([openPage(), joined(address)])
    await late.call('beLate')
    await late.call('start', { bootstrap: [address] })
    await late.call('connect', await reachable(other.page))
    expect(await direct(late, other.id)).not.toBe(false)
    expect(await late.call('agreements')).toBe(1)
  })

  it('finds the other page again after a cut of all that one of them sends', async () => {
    const { address } = await node()
    const cable = newCable()
    const packetsTo = async (place: unknown): Promise<number> => await cable.packetsTo(place as Place)
    const [a, b] = [await openPage({ packetsTo }), await openPage({ packetsTo })]
    await a.call('beCabled', { [portOf(address)]: await cable.connectionsTo(portOf(address)) })
    await b.call('beCabled', {})
    const ids: string[] = []
    for (const page of [a, b]) ids.push((await page.call<{ id: string }>('start', { bootstrap: [address] })).id)
    const [idOfA = '', idOfB = ''] = ids
    await a.call('connect', await reachable(b))
    await until('B is connected', async () => direct(b, idOfA))
    cable.cut = true
    await until('A notices', async () => (await a.call<unknown[]>('connections')).length === 0)
    await until('B notices', async () => (await direct(b, idOfA)) === false)
    await until('A has dialled the relay in vain', () => cable.unanswered > 0)
    cable.cut = false
    await until('A sees B', async () => direct(a, idOfB))
    await until('B sees A', async () => direct(b, idOfA))
  })

  it('keeps its peer id and its content over a reload', async () => {
    const { address } = await node()
    const { page, id } = await joined(address, { dir: 'notebook' })
    const cid = await page.call<string>('add', megabytes, 5)
    await page.reload()
    const again = await page.call<{ id: string }>('start', { dir: 'notebook' })
    expect(again.id).toBe(id)
    expect(await page.call('has', cid)).toBe(true)
    expect(await page.call('holds', cid, megabytes, 5)).toBe(true)
    // A second peer on the same database would have the same key.
    expect(await page.call('startError', { dir: 'notebook' })).toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(/^"notebook" is in use by another peer or view of this page: /) as string
    })
    await page.call('stop')
    expect(await page.call('startError', { dir: 'notebook' })).toBeUndefined()
  })

  it('tells a second tab which one has its database, and lets it take over when that one closes', async () => {
    const browser = await openPage()
    const [first, second, third] = [await browser.openTab(), await browser.openTab(), await browser.openTab()]
    await first.call('entitle', 'first')
    const { id } = await first.call<{ id: string }>('start', { dir: 'tabs' })
    for (const [i, tab] of [second, third].entries()) {
      expect(await tab.call('startError', { dir: 'tabs' })).toMatchObject({
        code: 'LOCKED',
        message:
          '"tabs" is in use by the tab "first" (/): close that one, or wait for it with whenFree("tabs"), or use another name here'
      })
      await tab.call('waitFor', 'tabs')
      await until(`tab ${i} waits`, async () => (await tab.call('waiting')) === 'the tab "first" (/)')
    }
    expect(await third.call('waitError', 'tabs', 50)).toBe('TIMEOUT')
    await first.close()
    await until('the second tab may start', async () => await second.call('free'))
    // Nobody comes between the wait and the start.
    expect(await third.call('startError', { dir: 'tabs' })).toMatchObject({ code: 'LOCKED' })
    expect((await second.call<{ id: string }>('start', { dir: 'tabs' })).id).toBe(id)
    // A peer that stops makes room without its tab being closed.
    expect(await third.call('free')).toBe(false)
    await second.call('stop')
    await until('the third tab may start', async () => await third.call('free'))
    expect((await third.call<{ id: string }>('start', { dir: 'tabs' })).id).toBe(id)
  })

  it('can be reached again when its relay has been away', async () => {
    const dir = join(temporary, 'relay')
    const options = { dir, listen: [`/ip4/127.0.0.1/tcp/${await freePort()}/ws`] }
    const first = await node(options)
    const { page } = await joined(first.address)
    await reachable(page)
    await first.peer.stop()
    await until('the page has no address', async () => {
      const { addresses } = await page.call<PeerInfo>('self')
      return addresses.length === 0
    })
    const second = await node(options)
    expect(selfOf(second.backend).id).toBe(first.address.split('/').at(-1))
    const { addresses } = await reachable(page)
    expect(addresses[0]).toContain(first.address)
  })

  it('joins a private network, and only with its key', async () => {
    const psk = `/key/swarm/psk/1.0.0/\n/base16/\n${'5e'.repeat(32)}\n`
    const { backend, address } = await node({ psk })
    const [inside, outside] = [await openPage(), await openPage()]
    await Promise.all([inside.call('start', { psk }), outside.call('start', {})])
    const peer = { ...selfOf(backend), addresses: [address] }
    await inside.call('connect', peer)
    await expect(outside.call('connect', peer)).rejects.toThrow(/does not answer/)
    expect(await inside.call('connections')).toHaveLength(1)
    expect(await outside.call('connections')).toEqual([])
  })

  it('refuses what a page cannot do, and says what to do', async () => {
    const page = await openPage()
    const refused: [HeliaOptions, string, RegExp][] = [
      [{ listen: ['/ip4/127.0.0.1/tcp/0'] }, 'listen', /relay in "bootstrap"/],
      [{ listen: ['/ip4/127.0.0.1/tcp/0/ws'] }, 'listen', /leave it out/],
      [{ mdns: true }, 'mdns', /"bootstrap"/],
      [{ psk: '/etc/swarm.key' }, 'psk', /32 bytes/],
      [{ dht: 'server' }, 'dht', /use 'client'/],
      [{ relay: true }, 'relay', /is for Node/],
      [{ dir: 'x', durability: 'power' }, 'durability', /use 'process'/],
      [{ iceServers: [{ urls: 'http://x' }] }, 'iceServers', /stun:/]
    ]
    for (const [options, key, help] of refused) {
      const answer = await page.call<{ code: string; message: string }>('refusal', options)
      expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT' })
      expect(answer.message).toContain(key)
      expect(answer.message).toMatch(help)
    }
    expect(await page.call('refusal', { dir: 'x', listen: ['/webrtc', '/p2p-circuit'] })).toBeUndefined()
  })
})

async function direct(page: RemotePage, id: string): Promise<string[] | false> {
  const open = await page.call<{ peer: string; address: string }[]>('connections')
  const found = open.filter(({ peer }) => peer === id).map(({ address }) => address)
  return found.length > 0 && found
}
