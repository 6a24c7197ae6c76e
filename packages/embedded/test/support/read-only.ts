// Adds and pins until the disk turns read-only, goes on trying, mounts the disk again. Prints what became of the pins.
import type { Block } from '@p2pl/core/backend'
import { breakDisk, mountAgain } from '@p2pl/tooling-vitest/ext4'
import type { CID } from 'multiformats/cid'
import { collect, nodeBlock, rawBlock } from '@p2pl/tooling-vitest/blocks'
import { calm } from './calm.ts'
import { openIn, peerOn, type Peer } from './peer.ts'

const folder = process.argv[2] as string
const start = async (): Promise<Peer> => await peerOn(await openIn(`${folder}/content`, 'power'))
let peer = await start()
const pinned: { readonly root: CID; readonly blocks: readonly Block[] }[] = []
const errors = new Set<string>()
let count = 0

async function add(): Promise<void> {
  const id = count++
  const blocks = await Promise.all(
    [300, 70_000, 600_000].map((size) => rawBlock(new Uint8Array(size).fill(1 + (id % 250)).fill(id >> 8, 0, 8)))
  )
  const root = await nodeBlock({ id, leaves: blocks.map(({ cid }) => cid) })
  await peer.blocks.putMany([...blocks, root])
  await peer.blocks.pin(root.cid, calm)
  pinned.push({ root: root.cid, blocks: [...blocks, root] })
}

/** So many DAGs, or so many failures. */
async function addSome(dags: number, failures: number): Promise<void> {
  for (let [added, failed] = [0, 0]; added < dags && failed < failures;)
    try {
      await add()
      added++
    } catch (error) {
      failed++
      errors.add(`${(error as { code?: string }).code}: ${(error as Error).message}`)
    }
}

/** Acknowledged pins that are missing, and blocks of them that are. */
async function wrong(): Promise<string[]> {
  const listed = new Set((await collect(peer.blocks.pins())).map(({ cid }) => cid.toString()))
  const found: string[] = []
  for (const { root, blocks } of pinned) {
    if (!listed.has(root.toString())) found.push(`pin ${root.toString()}`)
    for (const { cid, bytes } of blocks) {
      const stored = await peer.blocks.get(cid, { ...calm, local: true }).catch(() => new Uint8Array())
      if (Buffer.compare(stored, bytes) !== 0) found.push(`block ${cid.toString()}`)
    }
  }
  return found
}

await addSome(20, 1)
const adding = addSome(Infinity, 10)
breakDisk(folder)
await adding
const added = pinned.length
const whenReadOnly = await wrong()
await peer.close()
mountAgain(folder)
peer = await start()
const afterRestart = await wrong()
await addSome(5, 1)
const atEnd = await wrong()
await peer.close()
process.stdout.write(
  `${JSON.stringify({ added, more: pinned.length - added, errors: [...errors], whenReadOnly, afterRestart, atEnd })}\n`
)
