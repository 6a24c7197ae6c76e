import type {
  Backend,
  Block,
  BlockTransport,
  Clock,
  LayerCall,
  MessageTransport,
  RoutingTransport
} from '@p2pl/core/backend'
import { aroundCalls, P2plError } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'

export const cid: CID = CID.createV1(raw.code, await sha256.digest(Uint8Array.of(1)))
export const block: Block = { cid, bytes: Uint8Array.of(1) }

export function failure(code: ConstructorParameters<typeof P2plError>[0]['code'], retryable?: boolean): P2plError {
  return new P2plError({ code, message: code, backend: 'fake', retryable })
}

/** Time that passes only when it is told to. */
export class ManualClock implements Clock {
  #now = 0
  #timers = new Map<object, { at: number; callback: () => void }>()

  now(): number {
    return this.#now
  }
  wall(): number {
    return this.#now
  }
  nextTurn(callback: () => void): void {
    setTimeout(callback, 0)
  }
  setTimeout(callback: () => void, ms: number): object {
    const timer = {}
    this.#timers.set(timer, { at: this.#now + ms, callback })
    return timer
  }
  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as object)
  }
  get pending(): number {
    return this.#timers.size
  }
  /** Lets `ms` pass, timer by timer, and everything that follows from each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers.delete(due[0])
      this.#now = due[1].at
      due[1].callback()
      await settle()
    }
    this.#now = end
  }
}

/** Runs the event loop until every promise that can go on has done so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setTimeout(resolve, 0))
}

export const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

const strict = <T extends object>(part: Partial<T> = {}): T =>
  new Proxy(part, {
    get: (target, key) => {
      const found: unknown = Reflect.get(target, key)
      if (found === undefined) throw new Error(`unexpected call of ${String(key)}`)
      return found
    }
  }) as T

/** A backend whose calls do what the test says; what it does not say must not be called. */
export function fake(parts: {
  start?: Backend['start']
  stop?: Backend['stop']
  messages?: Partial<MessageTransport>
  blocks?: Partial<BlockTransport>
  routing?: Partial<RoutingTransport>
}): Backend {
  return {
    name: 'fake',
    capabilities: {
      messages: {
        delivery: 'reliable',
        ordering: 'none',
        echo: false,
        maxMessageBytes: 1_000_000,
        pacing: 0,
        peers: 'native',
        recipients: 'native',
        gaps: 'native',
        validation: 'native',
        sender: 'none'
      },
      blocks: {
        maxBlockBytes: 2 ** 21,
        persistence: 'none',
        remote: true,
        keepsFetched: true,
        pins: 'native',
        gc: 'native',
        hashes: [0x12]
      },
      routing: {
        provide: 'native',
        unprovide: 'native',
        findProviders: 'native',
        findPeer: 'native',
        connect: 'native',
        recordLifetime: Infinity
      }
    },
    start: parts.start ?? (async () => undefined),
    stop: parts.stop ?? (async () => undefined),
    self: () => [{ network: 'fake', id: 'fake', addresses: [] }],
    messages: strict<MessageTransport>(parts.messages),
    blocks: strict<BlockTransport>(parts.blocks),
    routing: strict<RoutingTransport>(parts.routing)
  }
}

/** Fails with the errors in turn, then gives the value. Counts its calls. */
export function failing<T>(errors: readonly unknown[], value: T): (() => Promise<T>) & { calls: number } {
  const call = async (): Promise<T> => {
    const error = errors[call.calls++]
    if (error !== undefined) throw error
    return value
  }
  call.calls = 0
  return call
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** How a promise ended, or that it has not. */
export function outcome<T>(promise: Promise<T>): { state: 'pending' | 'ok' | 'error'; value?: T; error?: unknown } {
  const seen: ReturnType<typeof outcome<T>> = { state: 'pending' }
  promise.then(
    (value) => Object.assign(seen, { state: 'ok', value }),
    (error: unknown) => Object.assign(seen, { state: 'error', error })
  )
  return seen
}

/** The backend, whose start fails until `cause` gives nothing. */
export function down(backend: Backend, cause: () => P2plError | undefined = () => failure('UNREACHABLE')): Backend {
  return aroundCalls({
    call: async ({ operation }, run) => {
      const error = operation === 'start' ? cause() : undefined
      if (error !== undefined) throw error
      return await run()
    }
  })(backend)
}

/** The backend, with one of its calls in the hands of the test. */
export function overridden(
  backend: Backend,
  operation: LayerCall['operation'],
  call: (options: LayerCall['options'], run: () => Promise<unknown>) => Promise<unknown>
): Backend {
  return aroundCalls({
    call: async (made, run) =>
      (await (made.operation === operation ? call(made.options, run) : run())) as Awaited<ReturnType<typeof run>>
  })(backend)
}
