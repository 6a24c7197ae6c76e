import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import type { Home } from '../src/node/home.ts'
import type { LedgerNode } from '../src/node/ledger-node.ts'
import { openNode } from '../src/node/open-node.ts'
import { makeHomes } from './support.ts'

const folder = temporaryFolder()

/** What is written in a node's folder, and nothing else, chooses its network. */
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
      expect((await b.status()).entries).toBe(21)
      for (const self of (await b.status()).self) await a.connect(self)
      await b.transfer({ to: a.account, amount: 7n })
      await agree(23)
      // Both are witnesses, and each has approved what the other wrote first.
      await a.transfer({ to: b.account, amount: 1n })
      await agree(24)
      expect((await b.entry(entry.cid)).confirmations).toBe(2)
    } finally {
      await a.stop()
      await b.stop()
    }
  })
})
