import type { Ending } from '../simulator.ts'
import { contentHash } from '../trace.ts'
import type { Stranger } from './stranger.ts'

export interface ReplayOptions {
  /** Milliseconds from hearing a message to sending it again. */
  readonly after: number
  /** How often each message is sent again. Default 1. */
  readonly copies?: number | undefined
}

/** Publishes every message that it hears on the topic again, unchanged. */
export function replay(stranger: Stranger, topic: string, { after, copies = 1 }: ReplayOptions): Ending {
  const ended = new AbortController()
  // Other strangers may replay its copies, so each message is replayed once.
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
