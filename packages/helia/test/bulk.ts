// Channels of the bulk exchange in memory, and what tests put at their ends.
import { Breather, bytesKey, FairSlots, systemClock } from '@p2pl/core/backend'
import { Channel, type ChannelEvents } from '../src/engine/bulk/channel.ts'
import type { Pipe, PipeEvents } from '../src/engine/bulk/pipe.ts'
import type { Serving } from '../src/engine/bulk/server.ts'
import { Link } from '../src/engine/bulk/link.ts'
import type { Want } from '../src/engine/bulk/want.ts'
import type { Wants } from '../src/engine/bulk/wants.ts'
import type { Block } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'

/** One end of a pipe in memory. What is sent arrives in the next turn of the event loop, unless the pipe stands still. */
export class MemoryPipe implements Pipe {
  open = true
  /** Bytes on their way to the other end. */
  under = 0
  /** Why this end was aborted. */
  error: Error | undefined
  other: MemoryPipe | undefined
  readonly #events: PipeEvents
  #still = false
  #kept: Uint8Array[] = []
  #moved = Promise.withResolvers<void>()

  constructor(events: PipeEvents) {
    this.#events = events
  }

  send(parts: readonly Uint8Array[]): boolean {
    if (!this.open) throw new Error('the pipe is closed')
    for (const part of parts) this.under += part.byteLength
    this.#kept.push(...parts.map((part) => new Uint8Array(part)))
    if (!this.#still) this.#move()
    return !this.#still
  }

  async drained(): Promise<void> {
    if (this.#still) await this.#moved.promise
  }

  /** The other end stops reading. */
  standStill(): void {
    this.#still = true
  }

  goOn(): void {
    this.#still = false
    this.#move()
    this.#moved.resolve()
    this.#moved = Promise.withResolvers()
  }

  close(): void {
    setImmediate(() => this.#end())
  }

  abort(error: Error): void {
    this.error ??= error
    this.#end()
  }

  arrive(part: Uint8Array): void {
    if (this.open) this.#events.data(part)
  }

  /** The pipe has ended. */
  end(): void {
    this.#end()
  }

  #move(): void {
    const parts = this.#kept
    this.#kept = []
    setImmediate(() => {
      for (const part of parts) {
        this.under -= part.byteLength
        this.other?.arrive(part)
      }
    })
  }

  #end(): void {
    if (!this.open) return
    this.open = false
    this.#events.end()
    this.other?.end()
  }
}

/** Blocks to serve, and the reads of them. */
export class Store {
  readonly #blocks = new Map<string, Uint8Array>()
  reads = 0

  constructor(blocks: readonly Block[]) {
    for (const { cid, bytes } of blocks) this.#blocks.set(bytesKey(cid.multihash.bytes), bytes)
  }

  async get(multihash: Uint8Array): Promise<Uint8Array | undefined> {
    this.reads++
    return this.#blocks.get(bytesKey(multihash))
  }

  async has(multihash: Uint8Array): Promise<boolean> {
    return this.#blocks.has(bytesKey(multihash))
  }
}

export function servingOf(source: Serving['source']): Serving {
  return {
    source,
    breather: new Breather({ clock: systemClock, bytesPerTurn: 4 << 20, bytesPerPiece: 16 << 10 }),
    slots: new FairSlots(16, () => true)
  }
}

/** Events of a channel that asks for nothing. */
export const silent: ChannelEvents = {
  block: () => undefined,
  have: () => undefined,
  missing: () => undefined,
  received: () => undefined,
  lane: () => undefined,
  end: () => undefined
}

export interface Ends {
  readonly near: Channel
  readonly far: Channel
  readonly nearPipe: MemoryPipe
  readonly farPipe: MemoryPipe
}

/** Two channels that are connected; the far one serves. */
export function channels(source: Serving['source'], events: Partial<ChannelEvents> = {}): Ends {
  const pipes: MemoryPipe[] = []
  const open = (made: PipeEvents): Pipe => {
    const pipe = new MemoryPipe(made)
    pipes.push(pipe)
    return pipe
  }
  const near = new Channel('far', open, servingOf(new Store([])), { ...silent, ...events })
  const far = new Channel('near', open, servingOf(source), silent)
  const [nearPipe, farPipe] = pipes as [MemoryPipe, MemoryPipe]
  nearPipe.other = farPipe
  farPipe.other = nearPipe
  return { near, far, nearPipe, farPipe }
}

export interface Puppet {
  readonly channel: Channel
  readonly pipe: MemoryPipe
  readonly far: MemoryPipe
  /** What the channel has sent. */
  readonly heard: Uint8Array[]
}

/** The far end of a channel in the hands of a test: it sees what is sent, and says what it likes. */
export function puppet(source: Serving['source'], events: Partial<ChannelEvents> = {}): Puppet {
  const heard: Uint8Array[] = []
  const far = new MemoryPipe({ data: (chunk) => void heard.push(chunk), end: () => undefined })
  let near: MemoryPipe | undefined
  const open = (made: PipeEvents): Pipe => {
    near = new MemoryPipe(made)
    return near
  }
  const channel = new Channel('puppet', open, servingOf(source), { ...silent, ...events })
  const pipe = near as unknown as MemoryPipe
  pipe.other = far
  far.other = pipe
  return { channel, pipe, far, heard }
}

export interface Provider extends Ends {
  readonly link: Link
  readonly store: Store
}

/** A linked peer that has these blocks. */
export function provider(wants: Wants, id: string, blocks: readonly Block[]): Provider {
  const link = new Link(id, () => undefined)
  const store = new Store(blocks)
  const ends = channels(store, {
    block: (want, bytes) => {
      link.delivered(bytes.byteLength)
      want.found(bytes)
      wants.schedule()
    },
    have: (want) => wants.have(link, want),
    missing: (want) => wants.missing(link, want),
    received: (bytes) => link.received(bytes, performance.now()),
    end: () => wants.owed(link, link.lose(ends.near))
  })
  link.use(ends.near)
  wants.attach(link)
  return { ...ends, link, store }
}

export interface Wanted {
  readonly want: Want
  readonly bytes: Promise<Uint8Array>
  /** How often nobody had it. */
  nobody: number
}

export function wanted(wants: Wants, { cid }: Block, session = ''): Wanted {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>()
  const want: Want = {
    cid,
    session,
    found: (bytes) => {
      wants.end(want)
      resolve(bytes)
    },
    nobody: () => void made.nobody++,
    at: [],
    lacking: new Set(),
    having: new Set(),
    asked: false,
    ended: false
  }
  const made: Wanted = { want, bytes: promise, nobody: 0 }
  wants.add(want)
  return made
}

export async function settled({ nearPipe, farPipe }: Ends): Promise<void> {
  await until('nothing is on its way', () => nearPipe.under === 0 && farPipe.under === 0)
}
