import { preset } from '@p2pl/tooling-tsup'

// WebRTC, port mapping, block lists, µTP, trackers and web seeds of WebTorrent are off here: see src/torrent/client.ts.
const omit = [
  '@silentbot1/nat-api',
  '@thaunknown/simple-peer',
  '@webtorrent/http-node',
  'bittorrent-lsd',
  'bittorrent-tracker',
  'cross-fetch-ponyfill',
  'load-ip-set',
  'node-datachannel',
  'ut_pex',
  'utp-native',
  'webrtc-polyfill'
]
const config: ReturnType<typeof preset> = preset(['src/index.ts'], { bundle: { omit } })

export default config
