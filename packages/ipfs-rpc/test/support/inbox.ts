import type { IncomingMessage, Subscriber, SubscriptionState, TransportGap, Verdict } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'

/** A subscriber that keeps what came, in order. */
export class Inbox implements Subscriber {
  readonly items: (string | TransportGap)[] = []
  readonly states: SubscriptionState[] = []

  message(message: IncomingMessage): Verdict {
    this.items.push(Buffer.from(message.payload).toString('utf8'))
    return 'accept'
  }

  gap(gap: TransportGap): void {
    this.items.push(gap)
  }

  state(state: SubscriptionState): void {
    this.states.push(state)
  }

  get messages(): string[] {
    return this.items.filter((item) => typeof item === 'string')
  }

  get gaps(): TransportGap[] {
    return this.items.filter((item) => typeof item !== 'string')
  }

  /** Where the first gap is among the items; -1 where there is none. */
  get firstGap(): number {
    return this.items.findIndex((item) => typeof item !== 'string')
  }

  async has(text: string): Promise<void> {
    await until(`the message "${text}" arrives`, () => this.items.includes(text))
  }

  async hasGap(count = 1): Promise<void> {
    await until(`${count} gaps are reported`, () => this.gaps.length >= count)
  }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
