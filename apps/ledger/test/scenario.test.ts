import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createBackends, loadConfig } from '@p2pl/config'
import { createIdentity, createPeer } from '@p2pl/core'
import { openView } from '@p2pl/sync'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import type { Home } from '../src/node/home.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import { openNode } from '../src/run/open-node.ts'
import { maxParents, maxPayloadBytes } from '../src/rules/limits.ts'
import { encodePayload } from '../src/rules/payload.ts'
import { cidOf, makeHomes } from './support.ts'

const folder = temporaryFolder()

/** The configuration in a node's folder, and nothing else, chooses its network. */
const configurations = {
  memory: { backend: 'memory' },
  helia: { backend: { use: 'helia', options: { profile: 'closed' } } }
}

async function read(node: LedgerNode, cid: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await node.content(cid)).body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe.each(Object.entries(configurations))('two peers on %s', (name, configuration) => {
  it('agree, share documents, and go on after a restart', async () => {
    const homes = await makeHomes(join(folder, name), ['a', 'b'])
    for (const home of homes) await writeFile(join(home.path, 'p2pl.config.json'), JSON.stringify(configuration))
    const open = async (home: Home | undefined): Promise<LedgerNode> =>
      await openNode(home as Home, { env: {}, beaconPeriod: 300 })
    const a = await open(homes[0])
    let b = await open(homes[1])
    try {
      expect((await a.status()).backend).toBe(name)
      for (const self of (await b.status()).self) await a.connect(self)
      const agree = async (entries: number): Promise<void> => {
        await until(`${entries} entries on both`, async () => {
          const [one, other] = [await a.status(), await b.status()]
          return one.root === other.root && one.balances === other.balances && one.entries === entries
        })
      }
      await Promise.all(
        Array.from({ length: 10 }, async (_, i) => {
          await a.transfer({ to: b.account, amount: BigInt(i + 1) })
          await b.transfer({ to: a.account, amount: 1n })
        })
      )
      const document = seededBytes(200_000, 9)
      const { entry } = await a.record({ name: 'd.bin', mediaType: 'application/octet-stream', content: [document] })
      const content = entry.type === 'record' ? entry.content : ''
      await agree(21)
      expect((await read(b, content)).equals(document)).toBe(true)
      await until('a copy at b', async () => (await b.status()).documents.kept === 1)
      expect((await a.balance(a.account)).balance).toBe(String(1_000 - 55 + 10))

      await b.stop()
      await a.transfer({ to: b.account, amount: 100n })
      b = await open(homes[1])
      // The next entry may already be here.
      expect((await b.status()).entries).toBeGreaterThanOrEqual(21)
      for (const self of (await b.status()).self) await a.connect(self)
      await b.transfer({ to: a.account, amount: 7n })
      await agree(23)
      // Both are witnesses, and each has approved the other's first entry.
      await a.transfer({ to: b.account, amount: 1n })
      await agree(24)
      expect((await b.entry(entry.cid)).confirmations).toBe(2)
    } finally {
      await a.stop()
      await b.stop()
    }
  })
})

describe('documents of strangers', () => {
  it('that nobody has do not keep others from being copied', async () => {
    const homes = await makeHomes(join(folder, 'strangers'), ['a', 'b'])
    const [a, b] = await Promise.all(
      homes.map(async (home) => await openNode(home, { backend: 'memory', env: {}, beaconPeriod: 100 }))
    )
    if (a === undefined || b === undefined) throw new Error('no nodes')
    const config = await loadConfig({ env: {}, file: false, overrides: { backend: 'memory' } })
    const peer = await createPeer(await createBackends(config))
    const { topic } = (homes[0] as Home).genesis
    const view = await openView({ peer, topic, store: join(folder, 'stranger'), maxParents, maxPayloadBytes })
    try {
      const record = async (i: number): Promise<void> => {
        const identity = await createIdentity()
        const missing = { cid: cidOf(`nobody has ${i}`, 0x55), size: 1_000, name: 'x', mediaType: 'text/plain' }
        await view.append(encodePayload({ type: 'record', sequence: 0, ...missing }), { identity })
      }
      await Promise.all(Array.from({ length: 40 }, async (_, i) => await record(i)))
      await until('they are in the ledger', async () => (await b.status()).documents.known === 40)
      await a.record({ name: 'd', mediaType: 'text/plain', content: [seededBytes(50_000, 10)] })
      await until('a copy at b', async () => (await b.status()).documents.kept === 1)
      expect((await b.status()).documents).toEqual({ known: 41, kept: 1 })
    } finally {
      await view.stop()
      await Promise.all([a.stop(), b.stop(), peer.stop()])
    }
  })
})
