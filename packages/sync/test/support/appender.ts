// A process that appends until it is killed and writes the CID of each entry that was acknowledged.
import { writeSync } from 'node:fs'
import { createPeer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { openView } from '../../src/index.ts'

const store = process.argv[2] as string
const peer = await createPeer({ backend: memory() })
const view = await openView({ peer, topic: 'test', store, beaconPeriod: 50 })
writeSync(1, `open ${view.count}\n`)
for (let writer = 0; writer < 8; writer++) {
  void (async () => {
    for (let i = 0; ; i++) {
      const { cid } = await view.append(new TextEncoder().encode(`${process.pid} ${writer} ${i}`))
      // Not through a stream: what is written must not wait in a buffer that the kill takes along.
      writeSync(1, `${cid.toString()}\n`)
    }
  })()
}
