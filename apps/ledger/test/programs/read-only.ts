// A node writes until its disk turns read-only, keeps trying, and then starts again on the disk. Prints what happened
// to the acknowledged data.
import { writeFileSync } from 'node:fs'
import { breakDisk, mountAgain } from '@p2pl/tooling-vitest/ext4'
import { openHome } from '../../src/node/home.ts'
import type { LedgerNode } from '../../src/node/ledger-node.ts'
import { openNode } from '../../src/run/open-node.ts'
import { accountIds, makeHomes } from '../support.ts'

const folder = process.argv[2] as string
const [to = ''] = await accountIds(1)
await makeHomes(folder, ['node'])
const open = async (): Promise<LedgerNode> => await openNode(await openHome(`${folder}/node`), { backend: 'helia' })

let node = await open()
const acknowledged: string[] = []
let attempts = 0
const errors = new Set<string>()
/** Writes transfers and documents alternately, until this many were acknowledged or refused. */
async function write(count: number, refusals: number): Promise<void> {
  for (let [done, refused] = [0, 0]; done < count && refused < refusals;)
    try {
      const content = [new Uint8Array(5_000).fill(acknowledged.length % 251)]
      const { entry } =
        attempts++ % 3 === 0
          ? await node.record({ name: 'd', mediaType: 'text/plain', content })
          : await node.transfer({ to, amount: 1n })
      acknowledged.push(entry.cid)
      done++
    } catch (error) {
      refused++
      errors.add(`${(error as { code?: string }).code}: ${(error as Error).message}`)
    }
}
async function missing(): Promise<string[]> {
  const lost: string[] = []
  for (const cid of acknowledged)
    try {
      const entry = await node.entry(cid)
      if (entry.type === 'record') for await (const _ of (await node.content(entry.content)).body) continue
    } catch {
      lost.push(cid)
    }
  return lost
}

await write(30, 1)
const writing = write(Infinity, 10)
breakDisk(folder)
await writing
const written = acknowledged.length
const whenReadOnly = await missing()
await node.stop()
mountAgain(folder)
node = await open()
const afterRestart = await missing()
const { entries } = await node.status()
await write(10, 1)
const atEnd = await missing()
await node.stop()
writeFileSync(
  1,
  `${JSON.stringify({ written, entries, more: acknowledged.length - written, errors: [...errors], whenReadOnly, afterRestart, atEnd })}\n`
)
