export { bittorrent, type BittorrentBackend } from './backend.ts'
export type { BittorrentOptions, Profile } from './options.ts'
export type { ImportOptions, ImportProgress, ImportResult } from './torrent/import/types.ts'
