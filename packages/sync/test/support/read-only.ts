// Appends to a view until its disk turns read-only, goes on trying, mounts the disk again. Prints what became of the entries.
import { createPeer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { breakDisk, mountAgain } from '@p2pl/tooling-vitest/ext4'
import { CID } from 'multiformats/cid'
import { openView } from '../../src/index.ts'
import type { View } from '../../src/index.ts'

const folder = process.argv[2] as string
const peer = await createPeer({ backend: memory() })
const open = async (): Promise<View> =>
  await openView({ peer, topic: 'test', store: `${folder}/view`, beaconPeriod: 1_000 })

let view = await open()
const acknowledged: string[] = []
const errors = new Set<string>()
let next = 0
/** Eight writers at a time, until so many appends were acknowledged or refused. */
async function append(appends: number, refusals: number): Promise<void> {
  let [done, refused] = [0, 0]
  const write = async (): Promise<void> => {
    while (done < appends && refused < refusals)
      try {
        const { cid } = await view.append(new Uint8Array(500).fill(next++ % 251))
        acknowledged.push(cid.toString())
        done++
      } catch (error) {
        refused++
        errors.add(`${(error as { code?: string }).code}: ${(error as Error).message}`)
      }
  }
  await Promise.all(Array.from({ length: 8 }, write))
}
async function missing(): Promise<number> {
  let lost = 0
  for (const cid of acknowledged) if (!(await view.has(CID.parse(cid)))) lost++
  return lost
}

await append(100, 1)
const appending = append(Infinity, 40)
breakDisk(folder)
await appending
const appended = acknowledged.length
const missingWhenReadOnly = await missing()
await view.stop()
mountAgain(folder)
view = await open()
const missingAfterRestart = await missing()
const { count } = await view.digest()
await append(50, 1)
const missingAtEnd = await missing()
await view.stop()
await peer.stop()
process.stdout.write(
  `${JSON.stringify({ appended, count, more: acknowledged.length - appended, errors: [...errors], missingWhenReadOnly, missingAfterRestart, missingAtEnd })}\n`
)
