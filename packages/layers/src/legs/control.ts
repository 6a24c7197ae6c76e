import type { Backend } from '@p2pl/core/backend'
import type { Legs } from './legs.ts'

/** One of the backends of a combinator, under an operator's control. */
export interface LegControl {
  readonly name: string
  /** `up`: it is in use. `down`: it is out of use, and is tried again. `paused`: see `pause`. */
  readonly state: 'up' | 'down' | 'paused'
  /** Why it is not in use. */
  readonly reason: string | undefined
  /** Takes this backend out of use and stops it, for example to replace its daemon or folder. The other backends go on. */
  pause(): Promise<void>
  /** Ends a pause. Resolves when the backend works again. If it does not, it is tried again as after a failure. */
  resume(): Promise<void>
}

/** A backend made from several. */
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
