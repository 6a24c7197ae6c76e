// A node of a ledger, as `p2pl-ledger run` starts it.
import { openHome, runNode, type PeerView } from '@p2pl/ledger'
import { answer } from '@p2pl/tooling-vitest/answer'

const [folder = '', backend = '', listen = ''] = process.argv.slice(2)
const { node } = await runNode(await openHome(folder), { backend, listen: [listen], beaconPeriod: 1_000 })

answer({
  status: () => node.status(),
  transfer: (to: string) => node.transfer({ to, amount: 1n }),
  connect: (peer: PeerView) => node.connect(peer)
})
