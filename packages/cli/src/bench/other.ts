import { once } from 'node:events'
import process from 'node:process'
import { type Peer, type PeerInfo, text } from '@p2pl/core'
import type { CommandContext } from '../context.ts'
import { withPeer } from '../session.ts'
import { describeError } from '../tools/index.ts'

export interface Measured {
  readonly amount: number
  readonly ms: number
}

/** The questions of the measuring process to the other one. */
export interface Answers {
  self(): Promise<readonly PeerInfo[]>
  /** Fetches content. Returns the number of bytes and the time that it took. */
  fetch(cid: string, providers: readonly PeerInfo[]): Promise<Measured>
  /** Returns how many messages came since the last call, and the time between the first and the last. */
  counted(): Promise<Measured>
}

export interface Question {
  readonly id: number
  readonly name: keyof Answers
  readonly values: readonly unknown[]
}

export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string | undefined
}

/** The kind of message that is sent back. */
export const ping = 'ping'

/** The second process of a bench. It answers until the first process disconnects. */
export async function answerBench(context: CommandContext, topicName: string): Promise<void> {
  await withPeer(context, { need: 'nothing' }, async ({ peer }) => {
    const topic = peer.topic(topicName, { codec: text })
    const subscription = topic.subscribe({ signal: context.signal })
    await subscription.joined
    let seen = { amount: 0, first: 0, last: 0 }
    const following = (async () => {
      for await (const item of subscription) {
        if (item.type === 'gap') continue
        if (item.payload.startsWith(ping)) {
          void topic.publish(`re: ${item.payload}`).catch(() => undefined)
          continue
        }
        const now = performance.now()
        seen = { amount: seen.amount + 1, first: seen.amount === 0 ? now : seen.first, last: now }
      }
    })()
    const answers: Answers = {
      self: async () => peer.network.self(),
      fetch: async (cid, providers) => await fetch(peer, cid, providers),
      counted: async () => ({ amount: seen.amount, ms: seen.last - seen.first })
    }
    process.on('message', ({ id, name, values }: Question) => {
      void (answers[name] as (...args: readonly unknown[]) => Promise<unknown>)(...values).then(
        (value) => process.send?.({ id, value }),
        (error: unknown) => process.send?.({ id, error: describeError(error).message })
      )
    })
    process.send?.({ id: 0 } satisfies Answer)
    await Promise.race([
      once(process, 'disconnect'),
      context.signal.aborted ? undefined : once(context.signal, 'abort')
    ])
    await subscription.close()
    await following
  })
}

async function fetch(peer: Peer, cid: string, providers: readonly PeerInfo[]): Promise<Measured> {
  const begun = performance.now()
  let amount = 0
  for await (const chunk of peer.data.get(cid, { providers })) amount += chunk.length
  return { amount, ms: performance.now() - begun }
}
