import type { Ending } from '../simulator.ts'
import { contentHash } from '../trace.ts'
import type { Stranger } from './stranger.ts'

export interface ReplayOptions {
  /** How long after it was heard a message is sent again, milliseconds. */
  readonly after: number
  /** How often it is sent. Default 1. */
  readonly copies?: number | undefined
}

/** Publishes every message that it hears on the topic again, unchanged. */
export function replay(stranger: Stranger, topic: string, { after, copies = 1 }: ReplayOptions): Ending {
  const ended = new AbortController()
  // Its own copies come back to no sender, but other strangers may replay them: each message is replayed once.
  const heard = new Set<string>()
  const listening = stranger.listen(topic, ({ payload }) => {
    const name = `${payload.byteLength}/${contentHash(payload)}`
    if (heard.has(name)) return
    heard.add(name)
    stranger.after(after, () => {
      for (let copy = 0; copy < copies && !ended.signal.aborted; copy++) stranger.publish(topic, payload)
    })
  })
  return {
    end: () => {
      ended.abort()
      listening.end()
    }
  }
}
