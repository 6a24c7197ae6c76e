export type { AppendOptions, Digest, Entry, Validity, View, ViewEvent, ViewOptions, ViewStatus } from './api.ts'
export { readView } from './index/read.ts'
export type { ReadViewSource } from './index/read.ts'
export { openView } from './view.ts'
