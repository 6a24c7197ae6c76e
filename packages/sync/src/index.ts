export type { AppendOptions, Digest, Entry, Validity, View, ViewEvent, ViewOptions, ViewStatus } from './api.ts'
export { readView } from './tree/read.ts'
export type { ReadViewSource } from './tree/read.ts'
export { openView } from './view.ts'
