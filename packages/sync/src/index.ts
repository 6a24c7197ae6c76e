export type {
  AppendOptions,
  Digest,
  Entry,
  Validity,
  View,
  ViewEvent,
  ViewOptions,
  ViewStatus,
  Written
} from './api.ts'
export { readView } from './tree/read.ts'
export type { ReadViewSource } from './tree/read.ts'
export { openView } from './view.ts'
// For pages that keep their views in a database.
export { whenFree, type WhenFreeOptions } from '@p2pl/store'
