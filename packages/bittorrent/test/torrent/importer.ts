// A process that takes a torrent in, and is killed in the middle: node importer.ts <folder> <magnet>
import { bittorrent } from '../../src/index.ts'

const [dir = '', magnet = ''] = process.argv.slice(2)
const backend = bittorrent({ dir })
await backend.start()
await backend.importTorrent(magnet, { onProgress: ({ bytes }) => void process.stdout.write(`${bytes}\n`) })
