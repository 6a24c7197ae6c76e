export { unixfs } from './unixfs.ts'
export type * from './types.ts'
