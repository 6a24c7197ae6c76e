// A subscriber in a process of its own, which stores each message and its cursor in one file before it takes the next one.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { topicWithHistory } from '../../src/history/index.ts'

export interface Stored {
  readonly cursor?: string
  readonly got: { readonly id: string; readonly size: number; readonly history: boolean }[]
}

const [folder, address] = process.argv.slice(2) as [string, string]
const file = `${folder}/app.json`

function load(): Stored {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored
  } catch {
    return { got: [] }
  }
}

let { cursor, got } = load()
const peer = await createPeer({ backend: helia({ dir: `${folder}/peer` }) })
const topic = await topicWithHistory({ peer, topic: 'kept', store: `${folder}/topic`, beaconPeriod: 200 })
const items = topic.subscribe({ since: cursor })
await peer.network.connect(address)
process.send?.('connected')
for await (const item of items) {
  if (item.type === 'message') got = [...got, { id: item.id, size: item.payload.length, history: item.history }]
  cursor = item.cursor
  writeFileSync(`${file}.new`, JSON.stringify({ cursor, got }))
  renameSync(`${file}.new`, file)
  process.send?.(got.length)
}
