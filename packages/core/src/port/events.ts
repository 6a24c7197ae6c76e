import type { P2plError } from '../errors.ts'

/** What a backend reports outside of any call. */
export type BackendEvent =
  /** The engine cannot be used for now; the backend is trying to get it back. */
  | { readonly type: 'degraded'; readonly backend: string; readonly error: P2plError }
  /** The engine is usable again. */
  | { readonly type: 'recovered'; readonly backend: string }
  /** Something a person should know; nothing stopped working. */
  | { readonly type: 'warning'; readonly backend: string; readonly message: string }
  /** A direct connection to a remote peer was made or lost. `id` is engine-level. */
  | { readonly type: 'peer:connect' | 'peer:disconnect'; readonly backend: string; readonly id: string }
