import { once } from 'node:events'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { unixfs } from '@p2pl/unixfs'
import { fromFolder, toFolder } from '@p2pl/unixfs/node'

const [folder = '.', cid, address] = process.argv.slice(2)
// Beside the folder: the blocks that are here already, also after a kill.
const peer = await createPeer({ backend: helia({ dir: `${folder}.p2pl` }) })
const folders = unixfs(peer)

if (cid === undefined || address === undefined) {
  const shared = await folders.addDirectory(fromFolder(folder), {
    onProgress: ({ files, bytes }) => console.log(`read ${files} files, ${bytes} bytes`)
  })
  console.log(`In another terminal: node share.mjs copy ${String(shared.cid)} ${peer.network.self()[0]?.addresses[0]}`)
  console.log('Enter ends it.')
  await once(process.stdin, 'data')
} else {
  await peer.network.connect(address)
  const { files } = await toFolder(folders, cid, folder, {
    onProgress: ({ bytes, total = Infinity }) => console.log(`${Math.floor((100 * bytes) / total)} % is here`)
  })
  console.log(`${files} files are in ${folder}`)
}
await peer.stop()
process.exit()
