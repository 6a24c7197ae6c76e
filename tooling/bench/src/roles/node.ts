import { randomBytes } from 'node:crypto'
import type { Role } from '../harness/child.ts'
import { type Content, type Messages, openStack, type StackName } from '../stacks/stack.ts'
import { type Heard, Mailbox, stamp } from './mailbox.ts'
import { type Producer, producers } from './producers.ts'
import { inParallel, now, timed } from './timing.ts'

/** A peer of any stack, in a separate process. Times are milliseconds. */
export interface Node {
  self(): Promise<unknown>
  connect(to: unknown): Promise<void>
  /** Adds files of random bytes in sequence. */
  add(sizes: readonly number[]): Promise<{ ids: readonly string[]; time: number }>
  /** Reads all files from other peers, `parallel` at a time. */
  get(ids: readonly string[], parallel: number): Promise<{ bytes: number; time: number }>
  /** Drops all content. */
  forget(): Promise<void>
  /** Subscribes and counts messages. `stamped`: the messages carry the time. */
  listen(topic: string, stamped?: boolean): Promise<void>
  /** Resolves when a publish would reach this many others. */
  ready(topic: string, peers: number): Promise<void>
  /** Publishes random bytes. Resolves with the time at which it began. */
  produce(topic: string, producer: Producer, count: number, size: number): Promise<number>
  /** Publishes at an even rate. Each message carries the time. */
  pace(topic: string, count: number, size: number, perSecond: number): Promise<void>
  /** What arrived since the last call. Waits for `count` messages, or until none arrived for a while. */
  heard(topic: string, count: number): Promise<Heard>
  /** Answers each message on `topic` with an equal one on `answers`. */
  echo(topic: string, answers: string): Promise<void>
  /** Publishes, waits for the answer, publishes again, and so on. */
  pingPong(topic: string, answers: string, count: number, size: number): Promise<{ time: number }>
}

export interface NodeOptions {
  readonly stack: StackName
  /** Options for the module of the stack. */
  readonly options: object
}

const node: Role<NodeOptions, Node> = async ({ stack, options }) => {
  const opened = await openStack(stack, options)
  const mailboxes = new Map<string, Mailbox>()
  const topics = opened.messages as Messages
  const data = opened.content as Content
  const mailbox = (topic: string): Mailbox => {
    const known = mailboxes.get(topic) ?? new Mailbox()
    mailboxes.set(topic, known)
    return known
  }
  const payloadsOf = (count: number, size: number): Uint8Array[] =>
    Array.from({ length: count }, () => new Uint8Array(randomBytes(size)))

  return {
    self: () => opened.self(),
    connect: (to) => opened.connect(to),
    add: async (sizes) => {
      const files = sizes.map((size) => new Uint8Array(randomBytes(size)))
      const ids: string[] = []
      const time = await timed(async () => {
        for (const bytes of files) ids.push(await data.add(bytes))
      })
      return { ids, time }
    },
    get: async (ids, parallel) => {
      let bytes = 0
      const time = await timed(() =>
        inParallel(ids, parallel, async (id) => {
          const got = await data.get(id)
          bytes += got
        })
      )
      return { bytes, time }
    },
    forget: () => data.forget(),
    listen: async (topic, stamped = false) => {
      if (stamped) mailbox(topic).expectStamps()
      await topics.subscribe(topic, (payload) => mailbox(topic).deliver(payload))
    },
    ready: (topic, peers) => topics.ready(topic, peers),
    produce: async (topic, producer, count, size) => {
      const payloads = payloadsOf(count, size)
      const begin = now()
      await producers[producer](payloads, (payload) => topics.publish(topic, payload))
      return begin
    },
    pace: async (topic, count, size, perSecond) => {
      const begin = performance.now()
      for (const [i, payload] of payloadsOf(count, size).entries()) {
        const wait = begin + (i * 1_000) / perSecond - performance.now()
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
        void topics.publish(topic, stamp(payload))
      }
    },
    heard: (topic, count) => mailbox(topic).take(count),
    echo: (topic, answers) => topics.subscribe(topic, (payload) => void topics.publish(answers, payload)),
    pingPong: async (topic, answers, count, size) => ({
      time: await timed(async () => {
        for (let i = 0; i < count; i++) {
          const answer = mailbox(answers).take(1)
          await topics.publish(topic, new Uint8Array(randomBytes(size)))
          await answer
        }
      })
    })
  }
}

export default node
