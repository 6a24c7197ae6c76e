import type { CID } from 'multiformats/cid'
import type { Deadlines } from '../../src/api/common.ts'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import type { DataContext } from '../../src/data/context.ts'
import { P2plError, throwIfAborted } from '../../src/errors.ts'
import type { Backend } from '../../src/port/backend.ts'
import type { BlockTransport, Pin } from '../../src/port/blocks.ts'
import type { BlockCapabilities, RoutingCapabilities } from '../../src/port/capabilities.ts'
import type { Block } from '../../src/port/common.ts'
import type { BackendEvent } from '../../src/port/events.ts'
import type { Routing } from '../../src/port/routing.ts'

const key = (cid: CID): string => cid.multihash.bytes.join()

export const blockCapabilities: BlockCapabilities = {
  maxBlockBytes: 2 * 1024 * 1024,
  persistence: 'none',
  remote: false,
  keepsFetched: false,
  pins: 'native',
  gc: 'none',
  dag: 'none',
  hashes: [0x12]
}

/** The least that the data half of a peer needs: a map of blocks that counts what is asked of it. */
export class StoreBackend implements Backend {
  readonly name: string = 'store'
  readonly capabilities: Backend['capabilities']
  readonly map: Map<string, Uint8Array> = new Map()
  readonly pinned: Map<string, Pin> = new Map()
  readonly asked: string[] = []
  puts = 0
  /** Replaces what `get` does. */
  onGet: ((cid: CID, signal: AbortSignal | undefined) => Promise<Uint8Array> | undefined) | undefined
  onPut: ((blocks: readonly Block[], signal: AbortSignal | undefined) => Promise<void>) | undefined
  readonly blocks: BlockTransport
  readonly routing?: Routing | undefined

  constructor(
    options: { blocks?: Partial<BlockCapabilities>; routing?: Routing; routes?: Partial<RoutingCapabilities> } = {}
  ) {
    this.capabilities = {
      runtimes: ['node', 'browser'],
      blocks: { ...blockCapabilities, ...options.blocks },
      ...(options.routing === undefined
        ? {}
        : {
            routing: {
              provide: 'native',
              unprovide: 'native',
              findProviders: 'native',
              findPeer: 'none',
              connect: 'none',
              recordLifetime: 1_000_000,
              ...options.routes
            }
          })
    }
    this.routing = options.routing
    this.blocks = {
      get: async (cid, { signal } = {}) => {
        throwIfAborted('blocks.get', signal, this.name)
        this.asked.push(cid.toString())
        const replaced = this.onGet?.(cid, signal)
        if (replaced !== undefined) return await replaced
        const bytes = this.map.get(key(cid))
        if (bytes === undefined) {
          throw new P2plError({ code: 'NOT_FOUND', operation: 'blocks.get', backend: this.name, message: 'not here' })
        }
        return bytes
      },
      put: async (block, { signal } = {}) => {
        await this.#store([block], signal)
      },
      putMany: async (blocks, { signal } = {}) => {
        const all: Block[] = []
        for await (const block of blocks) all.push(block)
        await this.#store(all, signal)
      },
      has: async (cid) => this.map.has(key(cid)),
      delete: async (cid) => {
        this.map.delete(key(cid))
      },
      pin: async (cid, { recursive = true } = {}) => {
        this.pinned.set(key(cid), { cid, recursive })
      },
      unpin: async (cid) => {
        this.pinned.delete(key(cid))
      },
      pins: async function* (this: StoreBackend) {
        yield* this.pinned.values()
      }.bind(this),
      gc: () => {
        throw new P2plError({ code: 'UNSUPPORTED', message: 'no gc' })
      }
    }
  }

  async #store(blocks: readonly Block[], signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted('blocks.put', signal, this.name)
    this.puts++
    if (this.onPut !== undefined) await this.onPut(blocks, signal)
    else for (const { cid, bytes } of blocks) this.map.set(key(cid), bytes)
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  self(): { id: string; addresses: string[] } {
    return { id: 'store', addresses: [] }
  }
}

export const deadlines: Deadlines = {
  get: 30_000,
  put: 60_000,
  publish: 10_000,
  subscribe: 30_000,
  routing: 60_000,
  store: 60_000,
  lifecycle: 60_000
}

export function contextOf(
  backend: Backend,
  options: { clock?: Clock; trust?: 'verify' | 'backend'; events?: BackendEvent[]; deadlines?: Partial<Deadlines> } = {}
): DataContext {
  return {
    backend,
    trust: options.trust ?? 'verify',
    deadlines: { ...deadlines, ...options.deadlines },
    clock: options.clock ?? systemClock,
    onEvent: (event) => options.events?.push(event),
    assertRunning: () => undefined
  }
}

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #now = 1_000_000
  #timers = new Map<number, { at: number; callback: () => void }>()
  #next = 1

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const id = this.#next++
    this.#timers.set(id, { at: this.#now + ms, callback })
    return id
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number)
  }

  get pending(): number {
    return this.#timers.size
  }

  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due[0])
      this.#now = due[1].at
      due[1].callback()
    }
    this.#now = end
  }
}

/** Lets everything run that is ready to run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return new Uint8Array(Buffer.concat(parts))
}
