import { join } from 'node:path'
import { createBackends, loadConfig } from '@p2pl/config'
import { createPeer } from '@p2pl/core'
import { openView, readView, type View } from '@p2pl/sync'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import * as dagCbor from '@ipld/dag-cbor'
import type { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import type { Block } from '../src/car/car-file.ts'
import { writeCar } from '../src/car/write-car.ts'
import { openOffline } from '../src/run/open-node.ts'
import type { Home } from '../src/node/home.ts'
import { verifyCar } from '../src/node/verify.ts'
import type { GenesisBlock } from '../src/rules/genesis.ts'
import { encodePayload } from '../src/rules/payload.ts'
import { account, accountIds, genesisOf, makeHomes } from './support.ts'

// Histories with correct hashes, signatures, clocks and index, made by a program that ignores the rules of the ledger.
// No peer would accept them from the network, and neither may `verify` nor `import`.

const folder = temporaryFolder()
const forged = expect.objectContaining({ code: 'INVALID_CONTENT' })
const [alice = '', bob = ''] = await accountIds(2)
const { genesis, topic, cid: genesisCid, bytes: genesisBytes } = genesisOf([[alice, 1_000n]])
const block: GenesisBlock = { genesis, topic, cid: genesisCid, bytes: genesisBytes }

let number = 0

/** The CAR file of the entries that `write` appends to a view that accepts everything. */
async function forge(
  write: (view: View) => Promise<unknown>,
  onTopic = topic,
  named: GenesisBlock = block
): Promise<{ car: Uint8Array; root: CID }> {
  const config = await loadConfig({ env: {}, file: false, overrides: { backend: 'memory' } })
  const peer = await createPeer(await createBackends(config))
  const store = join(folder, String(number++))
  const view = await openView({ peer, topic: onTopic, store, identity: await account(0), maxParents: 32 })
  try {
    await write(view)
    const { root } = await view.publishDigest()
    const blocks: Block[] = [{ cid: named.cid, bytes: named.bytes }]
    const getBlock = async (cid: CID): Promise<Uint8Array> => {
      const bytes = await peer.blocks.get(cid)
      blocks.push({ cid, bytes })
      return bytes
    }
    // Apart from the ledger's rules, the view is correct.
    for await (const _entry of readView(root, { topic: onTopic, getBlock }));
    const chunks: Uint8Array[] = []
    for await (const chunk of writeCar([root, named.cid], stream(blocks))) chunks.push(chunk)
    return { car: Buffer.concat(chunks), root }
  } finally {
    await view.stop()
    await peer.stop()
  }
}

async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

function transfer(sequence: number, to = bob, amount = 1n): Uint8Array {
  return encodePayload({ type: 'transfer', sequence, to, amount })
}

/** How many entries of the file a node of the ledger refuses. */
async function refused(car: Uint8Array, of: GenesisBlock = block): Promise<number> {
  const [home] = (await makeHomes(join(folder, `node-${number++}`), ['one'])) as [Home]
  const node = await openOffline({ ...home, genesis: of })
  try {
    return (await node.importCar(stream([car]))).refused
  } finally {
    await node.stop()
  }
}

describe('a forged history', () => {
  it('is told from a right one', async () => {
    const { car, root } = await forge(async (view) => {
      for (let i = 0; i < 3; i++) await view.append(transfer(i))
    })
    expect(await verifyCar(stream([car]), { genesis: block, root })).toMatchObject({ entries: 3, rejected: 0 })
    expect(await refused(car)).toBe(0)
  })

  it('approves more than eight entries at once', async () => {
    const { car } = await forge(async (view) => {
      const parents: CID[] = []
      for (let i = 0; i < 9; i++) parents.push((await view.append(transfer(i), { parents: [] })).cid)
      await view.append(transfer(9), { parents })
    })
    expect(await refused(car)).toBe(1)
    await expect(verifyCar(stream([car]), { genesis: block })).rejects.toThrow(forged)
  })

  it.each([
    ['pays its own author', { type: 'transfer', sequence: 0, to: alice, amount: 1 }],
    [
      'pays its own author by another spelling',
      { type: 'transfer', sequence: 0, to: `1Ā${alice.slice(1)}`, amount: 1 }
    ],
    ['takes what it says to give', { type: 'transfer', sequence: 0, to: bob, amount: -5 }],
    ['gives nothing', { type: 'transfer', sequence: 0, to: bob, amount: 0 }],
    ['gives more than there can be', { type: 'transfer', sequence: 0, to: bob, amount: 2n ** 63n }],
    ['gives a part', { type: 'transfer', sequence: 0, to: bob, amount: 0.5 }],
    ['is numbered backwards', { type: 'transfer', sequence: -1, to: bob, amount: 1 }],
    ['says more than a transfer can', { type: 'transfer', sequence: 0, to: bob, amount: 1, fee: 1 }],
    ['is of no kind', { type: 'mint', sequence: 0, to: alice, amount: 1 }]
  ])('%s', async (_, payload) => {
    const { car } = await forge(async (view) => await view.append(dagCbor.encode(payload)))
    expect(await refused(car)).toBe(1)
    await expect(verifyCar(stream([car]), { genesis: block })).rejects.toThrow(forged)
  })

  it('was signed for another ledger', async () => {
    const other = genesisOf([[alice, 5n]])
    const { car } = await forge(async (view) => await view.append(transfer(0)), other.topic)
    expect(await refused(car)).toBe(1)
    await expect(verifyCar(stream([car]), { genesis: block })).rejects.toThrow(forged)
    // With the genesis that it was signed for it is correct, but it is another ledger.
    const honest = await forge(async (view) => await view.append(transfer(0)), other.topic, other)
    expect(await verifyCar(stream([honest.car]))).toMatchObject({ genesis: other.cid.toString(), entries: 1 })
    await expect(verifyCar(stream([honest.car]), { genesis: block })).rejects.toThrow(forged)
  })

  it('spends twice: it may be there, and one of the two counts for nothing', async () => {
    const { car, root } = await forge(async (view) => {
      await view.append(transfer(0, bob, 600n), { parents: [] })
      await view.append(transfer(0, bob, 700n), { parents: [] })
      await view.append(transfer(1, bob, 600n))
    })
    const found = await verifyCar(stream([car]), { genesis: block, root })
    expect(found).toMatchObject({ entries: 3, accepted: 1, rejected: 2 })
    expect(found.accounts.reduce((sum, { balance }) => sum + BigInt(balance), 0n)).toBe(1_000n)
  })
})
