import {
  throwIfAborted,
  type AbortOptions,
  type Backend,
  type BackendEvent,
  type BlockTransport,
  type MessageTransport,
  type PeerInfo,
  type Routing,
  type StartOptions
} from '@p2pl/core/backend'
import { Blocks, type BlockParts } from './blocks.ts'
import { capabilitiesOf } from './capabilities.ts'
import { Discovery } from './discovery.ts'
import { Door, untilAborted } from './door.ts'
import { startEngine, type Engine } from './engine.ts'
import { backendName, classify, notRunning } from './errors.ts'
import { Fetcher } from './fetcher.ts'
import { Gater } from './gater.ts'
import { Links } from './links.ts'
import { Messages } from './messages.ts'
import { resolveOptions, type HeliaOptions, type Settings } from './options.ts'
import type { MemoryKey } from './private-key.ts'
import { addressTexts } from './peers.ts'
import { Pins } from './pins.ts'
import { HeliaRouting } from './routing.ts'

/** What one start brings up, besides the engine. */
interface Running extends BlockParts {
  readonly engine: Engine
  readonly links: Links
  readonly discovery: Discovery | undefined
}

/** A backend that has all three parts. */
export interface HeliaNode extends Backend {
  readonly messages: MessageTransport
  readonly blocks: BlockTransport
  readonly routing: Routing
}

/**
 * An IPFS node embedded in the process. The object is not started. Throws `INVALID_ARGUMENT` when an option is wrong.
 */
export function helia(options?: HeliaOptions): HeliaNode {
  return new HeliaBackend(resolveOptions(options))
}

class HeliaBackend implements Backend {
  readonly name: string = backendName
  readonly capabilities: Backend['capabilities']
  readonly messages: Messages
  readonly blocks: Blocks
  readonly routing: HeliaRouting
  readonly #settings: Settings
  readonly #gater: Gater
  readonly #door = new Door()
  readonly #memoryKey: MemoryKey = {}
  #running: Running | undefined
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(settings: Settings) {
    this.#settings = settings
    this.capabilities = capabilitiesOf(settings)
    this.#gater = new Gater(settings.profile, settings.bootstrap)
    this.messages = new Messages(this.#door, settings.gossip.degree)
    this.blocks = new Blocks(this.#door, () => this.#parts())
    this.routing = new HeliaRouting(this.#door, this.#gater, () => this.#running?.links)
  }

  async start(options?: StartOptions): Promise<void> {
    throwIfAborted('start', options?.signal, backendName)
    await this.#stopping
    if (this.#running !== undefined) return
    this.#starting ??= this.#start(options?.onEvent).finally(() => {
      this.#starting = undefined
    })
    const { signal } = options ?? {}
    if (signal === undefined) {
      await this.#starting
      return
    }
    try {
      await untilAborted(this.#starting, signal)
    } catch (error) {
      // What was begun for this caller must not go on without it.
      if (signal.aborted) await this.stop()
      throw classify('start', error, signal)
    }
  }

  async stop(_options?: AbortOptions): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  self(): PeerInfo {
    const { libp2p } = this.#door.enter('self')
    return { id: libp2p.peerId.toString(), addresses: addressTexts(libp2p.getMultiaddrs()) }
  }

  #parts(): BlockParts {
    if (this.#running === undefined) throw notRunning('blocks')
    return this.#running
  }

  async #start(onEvent: ((event: BackendEvent) => void) | undefined): Promise<void> {
    const engine = await startEngine(this.#settings, this.#gater, this.#memoryKey)
    const links = new Links(engine.libp2p)
    this.messages.attach(engine)
    this.#running = {
      engine,
      links,
      fetcher: new Fetcher(engine, links),
      pins: new Pins(engine.stores.pins),
      discovery: this.#discovers() ? new Discovery(engine.libp2p, this.#settings.connections.low) : undefined
    }
    if (onEvent !== undefined) this.#report(engine, onEvent)
    for (const address of this.#settings.bootstrap) {
      const id = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
      if (id !== undefined) links.keep({ id, addresses: [address.toString()] })
    }
    this.#door.open(engine)
  }

  /** In a closed network every connection is somebody's decision, unless discovery was asked for. */
  #discovers(): boolean {
    return this.#settings.profile !== 'closed' || this.#settings.mdns !== undefined
  }

  #report({ libp2p }: Engine, onEvent: (event: BackendEvent) => void): void {
    for (const type of ['peer:connect', 'peer:disconnect'] as const)
      libp2p.addEventListener(type, ({ detail }) => {
        onEvent({ type, backend: backendName, id: detail.toString() })
      })
  }

  async #stop(): Promise<void> {
    // A start that is under way is awaited, whatever it comes to: its parts are released below.
    await this.#starting?.catch(() => {})
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    this.#door.close()
    running.discovery?.stop()
    running.links.stop()
    this.messages.detach()
    await running.engine.stop().catch(() => {})
  }
}
