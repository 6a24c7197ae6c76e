// A peer with an embedded engine that keeps content for another peer, in a separate process.
import { createPeer, type PeerOptions } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { counting } from './counting.ts'

const [dir = '', keep = '{}'] = process.argv.slice(2)
const backend = counting(helia({ dir }), (blocks) => process.send?.({ blocks }))
const options: PeerOptions = { backend, receipts: { keep: JSON.parse(keep) as object } }
const peer = await createPeer(options)
process.send?.({ id: peer.id, self: peer.network.self() })
