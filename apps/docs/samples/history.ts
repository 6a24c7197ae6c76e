import { createPeer, text } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { topicWithHistory } from '@p2pl/sync/history'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const dir = await mkdtemp(join(tmpdir(), 'p2pl-'))
const ann = await createPeer({ backend: memory() })
const hers = await topicWithHistory({ peer: ann, topic: 'notes', store: join(dir, 'ann'), codec: text })
await hers.publish('written before Ben came')

const ben = await createPeer({ backend: memory() })
const his = await topicWithHistory({ peer: ben, topic: 'notes', store: join(dir, 'ben'), codec: text })
for await (const item of his.subscribe()) {
  if (item.type === 'gap') continue
  console.log(item.payload)
  // Store item.cursor together with the result of the item: after a restart, subscribe({ since: cursor }) continues
  // there.
  break
}
await Promise.all([hers.close(), his.close()])
await Promise.all([ann.stop(), ben.stop()])
await rm(dir, { recursive: true })

// prints:
// written before Ben came
