import type { Backend } from '@p2pl/core/backend'
import type { Legs } from './legs.ts'

/** One of the backends of a combinator, for its operator. */
export interface LegControl {
  readonly name: string
  /** Calls go to it; it is tried again; or it was paused. */
  readonly state: 'up' | 'down' | 'paused'
  /** Why it is not in use. */
  readonly reason: string | undefined
  /** Takes this backend out of use and stops it, for example to replace its daemon or folder. The others go on. */
  pause(): Promise<void>
  /** Ends a pause. Resolves when the backend works again; if it does not, it is tried again as after a failure. */
  resume(): Promise<void>
}

/** A backend of several. */
export interface Combined extends Backend {
  readonly legs: readonly LegControl[]
}

export function controlsOf(legs: Legs): readonly LegControl[] {
  return legs.all.map((leg) => ({
    name: leg.name,
    get state() {
      if (leg.paused) return 'paused'
      return leg.up ? 'up' : 'down'
    },
    get reason() {
      return leg.reason
    },
    pause: async () => {
      await legs.pause(leg)
    },
    resume: async () => {
      await legs.resume(leg)
    }
  }))
}
