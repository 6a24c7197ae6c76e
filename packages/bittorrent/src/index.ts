export { bittorrent, type BittorrentBackend, type ImportOptions } from './backend.ts'
export type { BittorrentOptions, Profile } from './options.ts'
export type { ImportProgress, ImportResult } from './torrent/import.ts'
