export { bittorrent } from './backend.ts'
export type { BittorrentBackend, TorrentCalls } from './torrent-calls.ts'
export type { BittorrentOptions, Profile } from './options.ts'
export type { ImportOptions, ImportProgress, ImportResult } from './torrent/import/types.ts'
