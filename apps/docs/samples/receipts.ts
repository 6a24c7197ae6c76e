import { createPeer } from '@p2pl/core'
import { memory } from '@p2pl/memory'

await using ann = await createPeer({ backend: memory() })
// Ben keeps up to 10 GiB for Ann, and nothing for strangers.
await using ben = await createPeer({
  backend: memory(),
  receipts: { keep: { peers: [ann.id], maxBytes: 10 * 2 ** 30 } }
})

const { receipt } = await ann.data.add('worth keeping', { until: 'retrievable' })
console.log(receipt.reached, receipt.acknowledgements[0]?.peer === ben.id)

// prints:
// retrievable true
