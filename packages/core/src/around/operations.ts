export type Part = 'messages' | 'blocks' | 'routing'

/** Each call of the port: the names of its arguments before the options, and whether it iterates. */
const table = {
  start: { names: [], iterates: false },
  stop: { names: [], iterates: false },
  'messages.publish': { names: ['topic', 'payload'], iterates: false },
  'messages.subscribe': { names: ['topic', 'subscriber'], iterates: false },
  'messages.peers': { names: ['topic'], iterates: false },
  'blocks.get': { names: ['cid'], iterates: false },
  'blocks.putMany': { names: ['blocks'], iterates: false },
  'blocks.has': { names: ['cid'], iterates: false },
  'blocks.delete': { names: ['cid'], iterates: false },
  'blocks.pin': { names: ['cid'], iterates: false },
  'blocks.unpin': { names: ['cid'], iterates: false },
  'blocks.pins': { names: [], iterates: true },
  'blocks.gc': { names: [], iterates: true },
  'routing.provide': { names: ['cid'], iterates: false },
  'routing.unprovide': { names: ['cid'], iterates: false },
  'routing.findProviders': { names: ['cid'], iterates: true },
  'routing.findPeer': { names: ['id'], iterates: false },
  'routing.connect': { names: ['peer'], iterates: false },
  'routing.disconnect': { names: ['id'], iterates: false },
  'routing.connections': { names: [], iterates: false }
} as const

/** The name of a call of the port, in dotted form. */
export type Operation = keyof typeof table

export const operations: readonly Operation[] = Object.keys(table) as Operation[]

export function argumentsOf(operation: Operation): { readonly names: readonly string[]; readonly iterates: boolean } {
  return table[operation]
}

/** The calls of one part, by their names within that part. */
export function partOperations(part: Part): readonly string[] {
  return operations.filter((name) => name.startsWith(`${part}.`)).map((name) => name.slice(part.length + 1))
}
