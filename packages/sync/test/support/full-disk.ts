// Appends to a view until its disk is full, frees space, goes on, and opens the view again. Prints what became of the entries.
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { createPeer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { CID } from 'multiformats/cid'
import { openView, readView } from '../../src/index.ts'
import type { View } from '../../src/index.ts'

const folder = process.argv[2] as string
/** Where the number of files has a limit: those that the view can still make. */
const freeFiles = 5
const filler = `${folder}/filler`
const peer = await createPeer({ backend: memory() })
const open = async (): Promise<View> =>
  await openView({ peer, topic: 'test', store: `${folder}/view`, beaconPeriod: 1_000 })
const payload = (i: number): Uint8Array => new Uint8Array(500 + ((i * 331) % 3_000)).fill(i % 251)

let view = await open()
const acknowledged: string[] = []
const errors: string[] = []
let next = 0
/** So many writers at a time, until so many appends were refused or acknowledged. */
async function append(writers: number, refusals: number, appends: number): Promise<void> {
  let [refused, done] = [0, 0]
  const write = async (): Promise<void> => {
    while (refused < refusals && done < appends) {
      try {
        const entry = await view.append(payload(next++))
        acknowledged.push(entry.cid.toString())
        done++
      } catch (error) {
        refused++
        errors.push(`${(error as { code?: string }).code}: ${(error as Error).message}`)
      }
    }
  }
  await Promise.all(Array.from({ length: writers }, write))
}

const { bavail, bsize, files, ffree } = statfsSync(folder)
mkdirSync(filler)
writeFileSync(`${filler}/space`, new Uint8Array((bavail * bsize) / 2))
if (files > 0) for (let i = 0; i < ffree - freeFiles; i++) writeFileSync(`${filler}/${i}`, '')
await append(8, 40, Infinity)
const full = acknowledged.length
const rootWhenFull = (await view.digest()).count
rmSync(filler, { recursive: true })
await append(8, 1, 300)
const more = acknowledged.length - full
await view.stop()

view = await open()
const lost: string[] = []
for (const cid of acknowledged) if (!(await view.has(CID.parse(cid)))) lost.push(cid)
// Solid: each entry comes after its parents, and the index is what its definition says.
const seen = new Set<string>()
let holes = 0
for await (const { cid, parents } of view.entries()) {
  for (const parent of parents) if (!seen.has(parent.toString())) holes++
  seen.add(cid.toString())
}
const { root, count } = await view.publishDigest()
let read = 0
for await (const _ of readView(root, { topic: 'test', getBlock: async (cid: CID) => await peer.blocks.get(cid) }))
  read++
await view.stop()
await peer.stop()
const extra = seen.size - acknowledged.length
process.stdout.write(
  `${JSON.stringify({ full, rootWhenFull, more, errors: [...new Set(errors)], lost: lost.length, holes, extra, count, read })}\n`
)
