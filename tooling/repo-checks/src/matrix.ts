import { bittorrent } from '@p2pl/bittorrent'
import { capabilityMatrix } from '@p2pl/conformance/report'
import { helia } from '@p2pl/helia'
import { ipfsRpc } from '@p2pl/ipfs-rpc'
import { memory } from '@p2pl/memory'

export const matrixStart = '<!-- capabilities -->'
export const matrixEnd = '<!-- /capabilities -->'

/** The capabilities of this project's backends, each set up as most users do. None of them is started. */
export function matrix(): string {
  const dir = 'node'
  const table = capabilityMatrix({
    helia: helia({ dir }).capabilities,
    'ipfs-rpc': ipfsRpc({ daemon: { repo: dir } }).capabilities,
    bittorrent: bittorrent({ dir }).capabilities,
    memory: memory().capabilities
  })
  return `${matrixStart}\n\n${table}\n\n${matrixEnd}`
}
