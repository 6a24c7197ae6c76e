import { CID } from 'multiformats/cid'
import { decode as decodeDigest } from 'multiformats/hashes/digest'
import type { Timeouts } from '../../src/api/common.ts'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import type { DataContext } from '../../src/data/context.ts'
import { defineBackend } from '../../src/define/define-backend.ts'
import { P2plError, throwIfAborted } from '../../src/errors.ts'
import { defaultTimeouts } from '../../src/peer/defaults.ts'
import type { Backend } from '../../src/port/backend.ts'
import type { BlockTransport, Pin } from '../../src/port/blocks.ts'
import type { BlockCapabilities, RoutingCapabilities } from '../../src/port/capabilities.ts'
import type { Block } from '../../src/port/common.ts'
import type { BackendEvent } from '../../src/port/events.ts'
import { linksOf } from '../../src/toolbox/links.ts'
import type { RoutingHooks } from '../../src/port/routing.ts'

const key = (cid: CID): string => cid.multihash.bytes.join()

export const blockCapabilities: BlockCapabilities = {
  maxBlockBytes: 2 * 1024 * 1024,
  persistence: 'none',
  remote: false,
  keepsFetched: false,
  pins: 'native',
  gc: 'native',
  hashes: [0x12]
}

export interface StoreBackend extends Backend {
  readonly blocks: BlockTransport
  readonly map: Map<string, Uint8Array>
  readonly pinned: Map<string, Pin>
  readonly asked: string[]
  puts: number
  /** Replaces what `get` does. */
  onGet: ((cid: CID, signal: AbortSignal) => Promise<Uint8Array> | undefined) | undefined
  onPut: ((blocks: readonly Block[], signal: AbortSignal) => Promise<void>) | undefined
}

export interface StoreOptions {
  blocks?: Partial<BlockCapabilities>
  routing?: RoutingHooks
  routes?: Partial<RoutingCapabilities>
}

/** The least that the data half of a peer needs: a map of blocks that counts what is asked of it. It runs. */
export async function storeBackend(options: StoreOptions = {}): Promise<StoreBackend> {
  const extras: Omit<StoreBackend, keyof Backend> = {
    map: new Map(),
    pinned: new Map(),
    asked: [],
    puts: 0,
    onGet: undefined,
    onPut: undefined
  }
  const defined = defineBackend({
    name: 'store',
    network: 'store',
    capabilities: {
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
              recordLifetime: Infinity,
              ...options.routes
            }
          })
    },
    open: async () => ({
      self: () => ({ id: 'store', addresses: [] }),
      close: async () => undefined,
      routing: options.routing,
      blocks: {
        get: async (cid, { signal }) => {
          throwIfAborted('blocks.get', signal, 'store')
          backend.asked.push(cid.toString())
          const replaced = backend.onGet?.(cid, signal)
          if (replaced !== undefined) return await replaced
          const bytes = backend.map.get(key(cid))
          if (bytes === undefined) throw new P2plError({ code: 'NOT_FOUND', message: 'not here' })
          return bytes
        },
        putMany: async (blocks, { signal }) => {
          backend.puts++
          if (backend.onPut !== undefined) await backend.onPut(blocks, signal)
          else for (const { cid, bytes } of blocks) backend.map.set(key(cid), bytes)
        },
        has: async (cid) => backend.map.has(key(cid)),
        delete: async (cid) => {
          backend.map.delete(key(cid))
        },
        pin: async (cid, { recursive = true }) => {
          backend.pinned.set(key(cid), { cid, recursive })
        },
        unpin: async (cid) => {
          backend.pinned.delete(key(cid))
        },
        pins: async function* () {
          yield* backend.pinned.values()
        },
        gc: async function* () {
          const held = new Set<string>()
          const open = [...backend.pinned.values()].map(({ cid }) => cid)
          for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
            held.add(key(cid))
            open.push(...(linksOf(cid, backend.map.get(key(cid)) ?? new Uint8Array()) ?? []))
          }
          for (const name of backend.map.keys()) {
            if (held.has(name)) continue
            backend.map.delete(name)
            yield CID.createV1(0x55, decodeDigest(Uint8Array.from(name.split(','), Number)))
          }
        }
      }
    })
  })
  const backend = Object.assign(defined, extras) as StoreBackend
  await backend.start()
  return backend
}

export const timeouts: Timeouts = defaultTimeouts

export interface ContextOptions {
  clock?: Clock
  trust?: 'verify' | 'backend'
  events?: BackendEvent[]
  timeouts?: Partial<Timeouts>
}

export function contextOf(backend: Backend, options: ContextOptions = {}): DataContext {
  return {
    backend,
    trust: options.trust ?? 'verify',
    timeouts: { ...timeouts, ...options.timeouts },
    clock: options.clock ?? systemClock,
    connected: () => undefined,
    onStore: () => undefined,
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

  wall(): number {
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

  nextTurn(callback: () => void): void {
    setImmediate(callback)
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
