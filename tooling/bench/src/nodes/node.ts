import { type Child, startChild } from '../harness/child.ts'
import type { Context } from '../harness/scenario.ts'

/** What each stack can do; the same calls for the bare engine and for p2pl on it. Times are milliseconds. */
export interface Node {
  self(): Promise<PeerAddress>
  connect(to: PeerAddress): Promise<void>
  /** Adds that many random bytes. */
  add(size: number): Promise<{ cid: string; time: number }>
  /** Reads all of it, from whoever has it. */
  get(cid: string): Promise<{ bytes: number; time: number }>
  /** Adds as many random files of that size. */
  addMany(count: number, size: number): Promise<readonly string[]>
  /** Reads all of them, as many at a time. */
  getMany(cids: readonly string[], parallel: number): Promise<{ bytes: number; time: number }>
  /** Drops all content. */
  forget(): Promise<void>
  /** Subscribes and counts. */
  listen(topic: string): Promise<void>
  /** Resolves when a publish would reach somebody. */
  ready(topic: string): Promise<void>
  /** Publishes as fast as it goes. Resolves with the epoch milliseconds at which it began. */
  flood(topic: string, count: number, size: number): Promise<number>
  /** How many came since the last call, waiting for `count` of them or until none came for a while; and when the last came. */
  heard(topic: string, count: number): Promise<{ count: number; last: number }>
  /** Publishes one after the other. */
  publish(topic: string, count: number, size: number): Promise<{ time: number }>
  /** Answers every message on `topic` with an equal one on `answers`. */
  echo(topic: string, answers: string): Promise<void>
  /** Publishes, waits for the answer, publishes … */
  pingPong(topic: string, answers: string, count: number, size: number): Promise<{ time: number }>
}

/** All that a peer says of itself; the bare engine is on one network. */
export type PeerAddress = readonly {
  readonly network: string
  readonly id: string
  readonly addresses: readonly string[]
}[]

export type Stack = 'bare' | 'p2pl'

const modules: Readonly<Record<Stack, URL>> = {
  bare: new URL('./bare.ts', import.meta.url),
  p2pl: new URL('./p2pl.ts', import.meta.url)
}

/** Nodes in processes of their own, each connected to the first. */
export async function startNodes(stack: Stack, count: number, context: Context): Promise<Child<Node>[]> {
  const nodes: Child<Node>[] = []
  try {
    for (let i = 0; i < count; i++) nodes.push(await startChild<Node>(modules[stack], {}, context))
    const first = await nodes[0]?.call.self()
    if (first !== undefined) for (const node of nodes.slice(1)) await node.call.connect(first)
    return nodes
  } catch (error) {
    await closeAll(nodes)
    throw error
  }
}

export async function closeAll(nodes: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.close()))
}
