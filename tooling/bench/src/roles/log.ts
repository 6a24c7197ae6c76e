import { randomBytes } from 'node:crypto'
import type { Role } from '../harness/child.ts'
import { type Log, openStack } from '../stacks/stack.ts'
import type { NodeOptions } from './node.ts'
import { inParallel, timed } from './timing.ts'

/** A peer with a log, of any stack. Times are milliseconds. */
export interface LogNode {
  self(): Promise<unknown>
  connect(to: unknown): Promise<void>
  /** Appends entries as so many callers at once would, and waits for all of them. `authors` write in turns, where a log has several. */
  append(count: number, payloadBytes: number, atOnce: number, authors?: number): Promise<{ time: number }>
  /** Opens the log and copies what the peer has that it is connected to. `wait`: until the first entry. */
  catchUp(count: number): Promise<{ time: number; wait?: number }>
}

const logNode: Role<NodeOptions, LogNode> = async ({ stack, options }) => {
  const opened = await openStack(stack, options)
  const log = opened.log as Log
  return {
    self: () => opened.self(),
    connect: (to) => opened.connect(to),
    append: async (count, payloadBytes, atOnce) => {
      const payloads = Array.from({ length: count }, () => new Uint8Array(randomBytes(payloadBytes)))
      return { time: await timed(() => inParallel(payloads, atOnce, (payload) => log.append(payload))) }
    },
    catchUp: async (count) => ({ time: await timed(() => log.catchUp(count)) })
  }
}

export default logNode
