import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { createMemoryNetwork, memory } from '@p2pl/memory'
import { temporaryFolder, withSeed } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { openView, readView } from '../src/index.ts'
import { bytesOf, collect, member } from './support/peers.ts'

const folder = temporaryFolder()

/** Lets the process append and kills it after so many acknowledgements; gives what it acknowledged. */
async function killAfter(store: string, acknowledgements: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'support/appender.ts')
  const child = spawn(process.execPath, ['-C', '@p2pl/source', script, store], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
    if (output.split('\n').length > acknowledgements + 1) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.on('close', resolve))
  expect(child.signalCode).toBe('SIGKILL')
  // A last line without its end was cut off by the kill.
  return output.split('\n').slice(1, -1)
}

test('no acknowledged entry is lost in ten kills', { timeout: 1_200_000 }, async () => {
  await withSeed(1, async (_, random) => {
    const store = join(folder, 'killed')
    const acknowledged: string[] = []
    for (let kill = 0; kill < 10; kill++) acknowledged.push(...(await killAfter(store, Math.floor(random() * 400))))
    const peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
    const view = await openView({ peer, topic: 'test', store })
    try {
      for (const cid of acknowledged) expect(await view.has(CID.parse(cid))).toBe(true)
      // The store is whole: every parent is there, the index is what its definition says.
      const { root, count } = await view.publishDigest()
      const source = { topic: 'test', getBlock: async (cid: CID) => await peer.blocks.get(cid) }
      expect((await collect(readView(root, source))).length).toBe(count)
      expect(count).toBe(view.count)
    } finally {
      await view.stop()
      await peer.stop()
    }
  })
})

test('one store cannot be open twice, and belongs to one topic', async () => {
  const store = join(folder, 'locked')
  const peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  const view = await openView({ peer, topic: 'one', store })
  await expect(openView({ peer, topic: 'one', store })).rejects.toMatchObject({ code: 'LOCKED' })
  await view.append(bytesOf('x'))
  await view.stop()
  await expect(view.append(bytesOf('y'))).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  await expect(openView({ peer, topic: 'two', store })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  const again = await openView({ peer, topic: 'one', store })
  expect(again.count).toBe(1)
  expect(again.heads()).toHaveLength(1)
  await again.stop()
  await peer.stop()
})

test('a store of an older format is refused with what to do', async () => {
  const { openTables } = await import('../src/store/database.ts')
  const { formatKey } = await import('../src/store/keys.ts')
  const store = join(folder, 'old')
  const tables = await openTables(store)
  await tables.write([{ type: 'put', key: formatKey, value: Uint8Array.of(1, ...bytesOf('test')) }])
  await tables.close()
  const peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  await expect(openView({ peer, topic: 'test', store })).rejects.toThrow(
    'the store was written in format 1, this version reads 2: move it away and open the view again'
  )
  await peer.stop()
})

test('a store of the format before rows of many entries is refused with what to do, and stays as it is', async () => {
  const { openStore } = await import('@p2pl/store')
  const location = join(folder, 'rows')
  const former = { location, format: { name: 'p2pl view', version: 3 }, durability: 'power' } as const
  const operations = { open: 'openView', read: 'view.read', write: 'view.write' }
  const open = async () => await openStore({ ...former, remedy: 'none', operations })
  const tables = await open()
  await tables.write([{ type: 'put', key: Uint8Array.of(10, 1), value: bytesOf('a row') }])
  await tables.close()
  const peer = await createPeer({ backend: memory({ network: createMemoryNetwork() }) })
  await expect(openView({ peer, topic: 'test', store: location })).rejects.toMatchObject({
    code: 'STORAGE',
    message: expect.stringMatching(/"p2pl view 3".*move the folder away and open the view again/) as string
  })
  await peer.stop()
  const again = await open()
  expect(await again.get(Uint8Array.of(10, 1))).toEqual(bytesOf('a row'))
  await again.close()
})

test('a view that is opened again goes on where it was and drops blocks that nobody needs any more', async () => {
  const network = createMemoryNetwork()
  const first = await member(network)
  for (let i = 0; i < 40; i++) await first.view.append(bytesOf(`${i}`))
  const digest = await first.view.publishDigest()
  await first.view.stop()
  const view = await openView({ peer: first.peer, topic: 'test', store: first.database, beaconPeriod: 100 })
  expect(await view.digest()).toEqual(digest)
  await view.append(bytesOf('after'))
  await using other = await member(network)
  await other.view.agreed()
  expect(other.view.count).toBe(41)
  await view.stop()
  await first.peer.stop()
})

test("the default parents after a restart hold the author's own tip, however many heads there are", async () => {
  const network = createMemoryNetwork()
  const first = await member(network, { maxParents: 2 })
  const root = await first.view.append(bytesOf('root'))
  const own = await first.view.append(bytesOf('own'), { parents: [root.cid] })
  for (let i = 0; i < 20; i++) await importSibling(first, root.cid, i)
  await first.view.stop()
  const view = await openView({ peer: first.peer, topic: 'test', store: first.database, maxParents: 2 })
  const next = await view.append(bytesOf('next'))
  expect(next.parents.map(String)).toContain(own.cid.toString())
  await view.stop()
  await first.peer.stop()
})

async function importSibling(to: Awaited<ReturnType<typeof member>>, parent: CID, i: number): Promise<void> {
  const { createIdentity } = await import('@p2pl/core')
  const { decodeEntry, encodeEntry, signingDomain, signingInput, widestBounds } = await import('../src/entry/codec.ts')
  const { cidOf, digestOf } = await import('../src/cid.ts')
  const identity = await createIdentity()
  const fields = {
    parents: [digestOf(parent)!],
    previous: 0,
    clock: 2,
    author: identity.publicKey,
    payload: bytesOf(`sibling ${i}`)
  }
  const bytes = encodeEntry(fields, await identity.sign(signingInput(signingDomain('test'), fields)))
  const { digest } = await decodeEntry(bytes, widestBounds)
  const source = async function* () {
    yield { cid: cidOf(digest), bytes }
  }
  expect(await to.view.import(source())).toEqual({ added: 1, known: 0, refused: 0 })
}
