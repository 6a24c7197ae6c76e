import { preset } from '@p2pl/tooling-tsup'

// What of WebTorrent is off here (src/torrent/swarm/torrent-client.ts) or has a place of our own: WebRTC, port mapping, block lists, µTP,
// trackers, web seeds, files on the disk, and the making of torrents.
const omit = [
  '@silentbot1/nat-api',
  '@thaunknown/simple-peer',
  '@webtorrent/http-node',
  'bittorrent-lsd',
  'bittorrent-tracker',
  'create-torrent',
  'cross-fetch-ponyfill',
  'fs-chunk-store',
  'load-ip-set',
  'node-datachannel',
  'ut_pex',
  'utp-native',
  'webrtc-polyfill'
]
const config: ReturnType<typeof preset> = preset(['src/index.ts'], { bundle: { omit } })

export default config
