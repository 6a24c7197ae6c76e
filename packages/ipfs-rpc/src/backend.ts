import { join } from 'node:path'
import type { AbortOptions, Backend, Capabilities, PeerInfo, StartOptions } from '@p2pl/core/backend'
import { abortError, throwIfAborted } from '@p2pl/core/backend'
import { KuboBlocks } from './blocks.ts'
import { Connections } from './connections.ts'
import { Engine } from './engine.ts'
import { backendName } from './errors.ts'
import { maxBlockBytes, maxMessageBytes } from './limits.ts'
import { KuboMessages } from './messages.ts'
import { withName } from './named.ts'
import { type IpfsRpcOptions, parseOptions } from './options.ts'
import { hashes } from './hashes.ts'
import { Renewals } from './renewals.ts'
import { KuboRouting } from './routing.ts'
import { pacing } from './rpc/publish-queue.ts'
import { readStats } from './read-stats.ts'
import type { IpfsRpcStats } from './stats.ts'

/** A backend over a Kubo daemon, with what is particular to it. */
export interface IpfsRpcBackend extends Backend {
  /** Size and traffic of the daemon. */
  stats(options?: AbortOptions): Promise<IpfsRpcStats>
}

/** A backend over the RPC API of a Kubo daemon: a running one (`url`), or one that it starts itself (`daemon`). */
export function ipfsRpc(options: IpfsRpcOptions = {}): IpfsRpcBackend {
  return withName(new IpfsRpc(options))
}

const dayMs = 86_400_000

class IpfsRpc implements IpfsRpcBackend {
  readonly name: string = backendName
  readonly capabilities: Capabilities
  readonly blocks: KuboBlocks
  readonly routing: KuboRouting
  readonly messages: KuboMessages | undefined
  readonly #engine: Engine
  readonly #messages: KuboMessages | undefined
  readonly #connections: Connections
  readonly #renewals: Renewals
  // One after the other: a stop that comes during a start waits for it, and a start for a stop.
  #transition: Promise<void> = Promise.resolve()
  #running = false
  #starting: SharedStart | undefined

  constructor(options: IpfsRpcOptions) {
    const settings = parseOptions(options)
    const managed = options.daemon
    this.capabilities = capabilitiesOf(settings.pubsub, managed !== undefined)
    this.#engine = new Engine(settings)
    this.#connections = new Connections(this.#engine)
    const file = managed === undefined ? undefined : join(managed.repo, 'p2pl', 'provided.json')
    this.#renewals = new Renewals(this.#engine, settings.reprovideInterval, file)
    this.#messages = settings.pubsub ? new KuboMessages(this.#engine, settings.silence) : undefined
    this.messages = this.#messages === undefined ? undefined : withName(this.#messages)
    this.blocks = withName(new KuboBlocks(this.#engine, this.#connections))
    this.routing = withName(new KuboRouting(this.#engine, this.#connections, this.#renewals, managed !== undefined))
  }

  async start(options: StartOptions = {}): Promise<void> {
    for (;;) {
      throwIfAborted('start', options.signal, backendName)
      const starting = (this.#starting ??= this.#beginStart(options.onEvent))
      if (!starting.abort.signal.aborted) return await joinStart(starting, options.signal)
      // Somebody gave that one up: wait for its end, then begin again.
      await starting.promise.catch(() => {})
    }
  }

  #beginStart(onEvent: StartOptions['onEvent']): SharedStart {
    const abort = new AbortController()
    const promise = this.#next(async () => {
      if (this.#running) return
      await this.#engine.start(onEvent, abort.signal)
      this.#messages?.start()
      this.#renewals.start()
      this.#running = true
    }).finally(() => {
      this.#starting = undefined
    })
    return { promise, abort, callers: 0 }
  }

  async stop(): Promise<void> {
    this.#starting?.abort.abort(new Error('stop was called'))
    await this.#next(async () => {
      this.#running = false
      await this.#messages?.stop()
      await this.#renewals.stop()
      await this.#engine.stop()
      this.#connections.clear()
    })
  }

  self(): PeerInfo {
    return this.#engine.self()
  }

  async stats(options: AbortOptions = {}): Promise<IpfsRpcStats> {
    return await readStats(this.#engine, this.#connections, options.signal)
  }

  async #next(step: () => Promise<void>): Promise<void> {
    const done = this.#transition.then(step)
    this.#transition = done.catch(() => {})
    await done
  }
}

interface SharedStart {
  readonly promise: Promise<void>
  readonly abort: AbortController
  callers: number
}

/** Waits for a start that several may have called. It is given up when the last of them does so. */
async function joinStart(starting: SharedStart, signal: AbortSignal | undefined): Promise<void> {
  starting.callers++
  if (signal === undefined) return await starting.promise
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      const error = abortError('start', signal, backendName)
      if (--starting.callers > 0) reject(error)
      else starting.abort.abort(error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    starting.promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function capabilitiesOf(pubsub: boolean, managed: boolean): Capabilities {
  return {
    runtimes: ['node'],
    messages: pubsub
      ? {
          delivery: 'at-most-once',
          ordering: 'none',
          echo: true,
          duplicates: 'delivered',
          maxMessageBytes,
          pacing,
          peers: 'native',
          recipients: 'emulated',
          gaps: 'native',
          validation: 'none',
          sender: 'verified'
        }
      : undefined,
    blocks: {
      maxBlockBytes,
      // A managed daemon syncs its store; what an external one does is its owner's choice.
      persistence: managed ? 'power' : 'process',
      remote: true,
      keepsFetched: true,
      pins: 'native',
      gc: 'native',
      dag: 'native',
      hashes: [...hashes.keys()]
    },
    routing: {
      provide: 'native',
      unprovide: managed ? 'emulated' : 'none',
      findProviders: 'native',
      findPeer: 'native',
      connect: 'native',
      recordLifetime: 2 * dayMs
    }
  }
}
