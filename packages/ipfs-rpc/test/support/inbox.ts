import type { IncomingMessage, Subscriber, TransportGap } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'

/** A subscriber that keeps what came, in order. */
export class Inbox implements Subscriber {
  readonly items: (string | TransportGap)[] = []

  message(message: IncomingMessage): void {
    this.items.push(Buffer.from(message.payload).toString('utf8'))
  }

  gap(gap: TransportGap): void {
    this.items.push(gap)
  }

  get messages(): string[] {
    return this.items.filter((item) => typeof item === 'string')
  }

  get gaps(): TransportGap[] {
    return this.items.filter((item) => typeof item !== 'string')
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
