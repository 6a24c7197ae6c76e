// The entry point for Node: folders on disk.
export { fromFolder } from './node/from-folder.ts'
export type { FromFolderOptions } from './node/from-folder.ts'
export { toFolder } from './node/to-folder.ts'
export type { ToFolderOptions, ToFolderProgress, ToFolderResult } from './node/to-folder.ts'
