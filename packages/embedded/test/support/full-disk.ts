// Adds and pins until the disk is full, ends pins and collects on the full disk, goes on, starts again. Prints what became of it.
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import type { CID } from 'multiformats/cid'
import { collect, nodeBlock, rawBlock } from '@p2pl/tooling-vitest/blocks'
import { calm } from './calm.ts'
import { openIn, peerOn, type Peer } from './peer.ts'

const [folder = '', sizes = ''] = process.argv.slice(2)
const sizeList = sizes.split(',').map(Number)
const free = (): number => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
const start = async (): Promise<Peer> => await peerOn(await openIn(`${folder}/content`))

let peer = await start()
/** Pinned DAGs of four leaves. */
const pinned = new Map<string, { root: CID; leaves: CID[] }>()
let count = 0
async function add(): Promise<void> {
  const size = sizeList[count % sizeList.length] as number
  const id = count++
  const leaves = await Promise.all(
    Array.from({ length: 4 }, async (_, i) => {
      const bytes = new Uint8Array(size).fill((id * 4 + i) % 251)
      bytes.set(new TextEncoder().encode(`${id} ${i}`))
      return await rawBlock(bytes)
    })
  )
  const root = await nodeBlock({ id, leaves: leaves.map(({ cid }) => cid) })
  await peer.blocks.putMany([...leaves, root])
  await peer.blocks.pin(root.cid, calm)
  pinned.set(root.cid.toString(), { root: root.cid, leaves: leaves.map(({ cid }) => cid) })
}
/** Pins and blocks that are not as they should be. */
async function wrong(): Promise<string[]> {
  const found: string[] = []
  const listed = new Set((await collect(peer.blocks.pins())).map(({ cid }) => cid.toString()))
  for (const name of new Set([...pinned.keys(), ...listed]))
    if (!pinned.has(name) || !listed.has(name)) found.push(`pin ${name}`)
  for (const { root, leaves } of pinned.values())
    for (const cid of [root, ...leaves]) {
      const bytes = await peer.blocks.get(cid, { ...calm, local: true }).catch(() => undefined)
      if (
        bytes === undefined ||
        !(await rawBlock(bytes)).cid.multihash.bytes.every((byte, i) => byte === cid.multihash.bytes[i])
      )
        found.push(`block ${cid.toString()}`)
    }
  return found
}

const filler = `${folder}/filler`
writeFileSync(filler, new Uint8Array(free() / 4))
const errors = new Set<string>()
for (let failures = 0; failures < 10;) {
  try {
    await add()
  } catch (error) {
    failures++
    errors.add((error as { code?: string }).code ?? String(error))
  }
}
const full = pinned.size
const whenFull = await wrong()

// What others have is still handed out.
const other = await rawBlock(new Uint8Array(500_000).fill(9))
peer.elsewhere.set(other.cid.toString(), other.bytes)
const remote = (await peer.blocks.get(other.cid, calm)).length

await peer.close()
peer = await start()
const afterStart = await wrong()

// Half of it goes, without help from outside.
const before = free()
for (const [name, { root }] of [...pinned].slice(0, Math.ceil(full / 2))) {
  await peer.blocks.unpin(root)
  pinned.delete(name)
}
const collected = (await collect(peer.blocks.gc(calm))).length
const afterGc = await wrong()
let again = 0
for (; again < full / 8; again++) await add()
const afterAgain = await wrong()
rmSync(filler)
for (let i = 0; i < 3; i++) await add()
await peer.close()
peer = await start()
const atEnd = await wrong()
await peer.close()
process.stdout.write(
  `${JSON.stringify({ full, errors: [...errors], whenFull, remote, afterStart, collected, freed: free() - before, afterGc, again, afterAgain, atEnd })}\n`
)
