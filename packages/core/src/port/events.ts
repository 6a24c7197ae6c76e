import type { P2plError } from '../errors.ts'

/** What an engine reports outside of any call. */
export type EngineEvent =
  /** The engine cannot be used for now; the backend is trying to restore it. */
  | { readonly type: 'degraded'; readonly error: P2plError }
  /** The engine is usable again. */
  | { readonly type: 'recovered' }
  /** Something that a person should know. Nothing has stopped working. */
  | { readonly type: 'warning'; readonly message: string }
  /**
   * A direct connection to a remote peer was made or lost. Reported wherever `routing.connect` is not `none`. `id` is
   * engine-level.
   */
  | { readonly type: 'peer:connect' | 'peer:disconnect'; readonly id: string }

/** The same, with the name of its backend. */
export type BackendEvent = EngineEvent & { readonly backend: string }
