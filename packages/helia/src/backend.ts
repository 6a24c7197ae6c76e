import {
  type AbortOptions,
  type Backend,
  type BackendEvent,
  type BlockTransport,
  type MessageTransport,
  type PeerInfo,
  type Routing,
  type StartOptions
} from '@p2pl/core/backend'
import { Blocks, Door, Lifecycle } from '@p2pl/embedded'
import { capabilitiesOf } from './capabilities.ts'
import { Discovery } from './connections/discovery.ts'
import { startEngine, type Engine } from './engine.ts'
import { backendName, failures, notRunning } from './errors.ts'
import { Fetcher } from './fetcher.ts'
import { Gater } from './connections/gater.ts'
import { hashCodes, maxBlockBytes } from './limits.ts'
import { Links } from './connections/links.ts'
import { Messages } from './messages.ts'
import { resolveOptions, type HeliaOptions, type Settings } from './options.ts'
import { addressTexts } from './peers.ts'
import type { MemoryKey } from './private-key.ts'
import { HeliaRouting } from './routing.ts'

/** What one start brings up, besides the engine. */
interface Running {
  readonly engine: Engine
  readonly fetcher: Fetcher
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
  readonly blocks: Blocks<Engine>
  readonly routing: HeliaRouting
  readonly #settings: Settings
  readonly #gater: Gater
  readonly #door = new Door<Engine>(failures)
  readonly #lifecycle: Lifecycle<Running>
  readonly #memoryKey: MemoryKey = {}

  constructor(settings: Settings) {
    this.#settings = settings
    this.capabilities = capabilitiesOf(settings)
    this.#gater = new Gater(settings.profile, settings.bootstrap)
    this.#lifecycle = new Lifecycle<Running>(failures, {
      begin: (onEvent) => this.#begin(onEvent),
      end: (running) => this.#end(running)
    })
    this.messages = new Messages(this.#door, settings.gossip.degree)
    this.blocks = new Blocks(this.#door, {
      maxBlockBytes,
      hashes: hashCodes,
      fetch: async (_engine, cid, options, signal) => {
        const { running } = this.#lifecycle
        if (running === undefined) throw notRunning('blocks.get')
        return await running.fetcher.fetch(cid, options?.providers, signal)
      },
      stored: ({ exchange }, blocks) => exchange.notify(blocks)
    })
    this.routing = new HeliaRouting(this.#door, this.#gater, () => this.#lifecycle.running?.links)
  }

  async start(options?: StartOptions): Promise<void> {
    await this.#lifecycle.start(options)
  }

  async stop(options?: AbortOptions): Promise<void> {
    await this.#lifecycle.stop(options)
  }

  self(): PeerInfo {
    const { libp2p } = this.#door.enter('self')
    return { id: libp2p.peerId.toString(), addresses: addressTexts(libp2p.getMultiaddrs()) }
  }

  async #begin(onEvent: StartOptions['onEvent']): Promise<Running> {
    const report = (event: BackendEvent): void => onEvent?.(event)
    const engine = await startEngine(this.#settings, this.#gater, this.#memoryKey, {
      streams: this.messages,
      isSource: (id) => this.messages.isSource(id),
      report
    })
    const links = new Links(engine.libp2p)
    this.messages.attach(engine)
    if (onEvent !== undefined) this.#report(engine, onEvent)
    for (const address of this.#settings.bootstrap) {
      const id = address.getComponents().findLast(({ name }) => name === 'p2p')?.value
      if (id !== undefined)
        links.keep({ id, addresses: [address.toString()] }, (reason) => {
          const message = `bootstrap: nobody answers at ${address.toString()} (${reason}); it is tried again until somebody does`
          report({ type: 'warning', backend: backendName, message })
        })
    }
    this.#door.open(engine)
    return {
      engine,
      links,
      fetcher: new Fetcher(engine, links),
      discovery: this.#discovers() ? new Discovery(engine.libp2p, this.#settings.connections.low) : undefined
    }
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

  async #end({ engine, links, discovery }: Running): Promise<void> {
    this.#door.close()
    discovery?.stop()
    links.stop()
    this.messages.detach()
    await engine.stop().catch(() => {})
  }
}
