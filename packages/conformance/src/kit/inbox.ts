import { equalBytes } from '@p2pl/core/backend'
import type { IncomingMessage, Subscriber, SubscriptionState, TransportGap, Verdict } from '@p2pl/core/backend'
import { alarm } from './time.ts'

const probeMark = Uint8Array.of(0x70, 0x32, 0x70, 0x6c, 0x00, 0x70, 0x62, 0x65)

/** A payload that only tests whether a topic has formed. Inboxes record it separately. */
export function probe(publisher: number, attempt: number): Uint8Array {
  const bytes = new Uint8Array(probeMark.length + 16)
  bytes.set(probeMark)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, publisher)
  view.setUint32(12, attempt)
  crypto.getRandomValues(bytes.subarray(16))
  return bytes
}

function isProbe(payload: Uint8Array): boolean {
  return payload.byteLength === probeMark.length + 16 && equalBytes(payload.subarray(0, 8), probeMark)
}

type Judge = (message: IncomingMessage) => Verdict | Promise<Verdict>

/** A subscriber that records its calls. */
export class Inbox implements Subscriber {
  readonly messages: IncomingMessage[] = []
  readonly gaps: TransportGap[] = []
  readonly states: SubscriptionState[] = []
  readonly probes: Set<number> = new Set<number>()
  /** Every call, in order. */
  readonly calls: ('message' | 'gap' | 'state')[] = []
  /** Everything that was delivered, in order: payloads without probes, and gaps. */
  readonly log: (Uint8Array | 'gap')[] = []
  readonly #judge: Judge
  readonly #watchers = new Set<() => void>()

  /** @param judge - Returns the verdict on each message that is not a probe. Default: accepts all. */
  constructor(judge: Judge = () => 'accept') {
    this.#judge = judge
  }

  message(message: IncomingMessage): Verdict | Promise<Verdict> {
    this.calls.push('message')
    const { payload } = message
    const probed = isProbe(payload)
    // With its offset, because the bytes may be a view into a larger buffer.
    if (probed) this.probes.add(new DataView(payload.buffer, payload.byteOffset).getUint32(8))
    else {
      this.messages.push(message)
      this.log.push(payload)
    }
    this.#wake()
    return probed ? 'accept' : this.#judge(message)
  }

  gap(gap: TransportGap): void {
    this.calls.push('gap')
    this.gaps.push(gap)
    this.log.push('gap')
    this.#wake()
  }

  state(state: SubscriptionState): void {
    this.calls.push('state')
    this.states.push(state)
    this.#wake()
  }

  /** How many messages came, probes among them. */
  get heard(): number {
    return this.calls.filter((call) => call === 'message').length
  }

  count(payload: Uint8Array): number {
    return this.messages.filter((message) => equalBytes(message.payload, payload)).length
  }

  /** Resolves with true as soon as the condition holds, with false after `ms`. */
  async until(condition: () => boolean, ms: number): Promise<boolean> {
    if (condition()) return true
    return await new Promise<boolean>((resolve) => {
      const end = (result: boolean): void => {
        cancel()
        this.#watchers.delete(watcher)
        resolve(result)
      }
      const watcher = (): void => {
        if (condition()) end(true)
      }
      const cancel = alarm(ms, () => end(condition()))
      this.#watchers.add(watcher)
    })
  }

  /** Resolves when the condition holds, or when nothing was called for `quiet` milliseconds. */
  async untilQuiet(condition: () => boolean, quiet: number): Promise<void> {
    for (let before = -1; !condition() && this.calls.length !== before;) {
      before = this.calls.length
      await this.until(() => condition() || this.calls.length !== before, quiet)
    }
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher()
  }
}
