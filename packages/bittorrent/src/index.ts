export { bittorrent } from './backend.ts'
export type { BittorrentOptions, Profile } from './options.ts'
