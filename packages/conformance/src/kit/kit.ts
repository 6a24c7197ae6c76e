import type { Backend, BackendEvent, BlockTransport, Capabilities, MessageTransport, Routing } from '@p2pl/core/backend'
import type { ConformanceFixture, ConformanceNetwork } from '../fixture.ts'
import { fail } from './check.ts'
import { pause, within } from './time.ts'

export interface Test {
  /** The obligation that it checks. */
  readonly name: string
  /** Whether it applies to a backend that declares this. Default: always. */
  readonly when?: (capabilities: Capabilities, fixture: ConformanceFixture) => boolean
  run(t: TestRun): Promise<void>
}

export interface Suite {
  readonly name: string
  readonly tests: readonly Test[]
}

/** Runs a part of the fixture: what it throws says nothing of the obligation that a test is about. */
async function ofFixture<T>(part: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    return fail(`${part} of the fixture resolves: the fixture is to be mended first, or what it calls`, error, error)
  }
}

/** A network of the fixture, its backends wrapped. */
export class Network {
  readonly backends: readonly Backend[]
  readonly events: BackendEvent[][]
  readonly #source: ConformanceNetwork
  readonly #wrap: (backend: Backend) => Backend
  readonly #reopened: Backend[] = []

  constructor(source: ConformanceNetwork, wrap: (backend: Backend) => Backend) {
    this.#source = source
    this.#wrap = wrap
    this.backends = source.backends.map(wrap)
    this.events = this.backends.map(() => [])
  }

  at(index: number): Backend {
    const backend = this.backends[index]
    if (backend === undefined)
      fail(`create(count) gives ${index + 1} backends or more`, `${this.backends.length} backends`)
    return backend
  }

  async start(index: number): Promise<void> {
    await this.at(index).start({ onEvent: (event) => void this.events[index]?.push(event) })
  }

  async startAll(): Promise<void> {
    await Promise.all(this.backends.map(async (_backend, index) => await this.start(index)))
  }

  async link(): Promise<void> {
    await ofFixture('link()', async () => await this.#source.link())
  }

  async reopen(index: number): Promise<Backend> {
    if (this.#source.reopen === undefined)
      fail('a fixture whose backends declare persistence gives `reopen`', 'no reopen')
    const reopen = this.#source.reopen.bind(this.#source, index)
    const backend = this.#wrap(await ofFixture(`reopen(${index})`, reopen))
    this.#reopened.push(backend)
    return backend
  }

  async interrupt(index: number): Promise<void> {
    if (this.#source.interrupt === undefined)
      fail('a fixture whose backends declare gaps gives `interrupt`', 'no interrupt')
    await ofFixture(`interrupt(${index})`, this.#source.interrupt.bind(this.#source, index))
  }

  /** Undefined where the fixture cannot make a start fail. */
  async obstruct(index: number): Promise<(() => Promise<void>) | undefined> {
    return await ofFixture(`obstruct(${index})`, async () => await this.#source.obstruct?.(index))
  }

  async dispose(): Promise<void> {
    try {
      await Promise.all([...this.backends, ...this.#reopened].map(async (backend) => await backend.stop()))
    } finally {
      await ofFixture('dispose()', async () => await this.#source.dispose())
    }
  }
}

/** `trio`: three, linked. `solo`: one, alone. `strangers`: three, started but not linked. */
export type Shared = 'trio' | 'solo' | 'strangers'

/** What one run of the kit shares between its tests: starting an engine is slow, so networks are few and live long. */
export class Kit {
  readonly fixture: ConformanceFixture
  readonly patience: number
  readonly #shared = new Map<Shared, Promise<Network>>()
  readonly #open = new Set<Network>()
  #known: Capabilities | undefined

  constructor(fixture: ConformanceFixture) {
    this.fixture = fixture
    this.patience = fixture.patience ?? 15_000
    this.#known = fixture.capabilities
  }

  async create(count: number): Promise<Network> {
    const source = await within(
      this.patience,
      `create(${count}) resolves`,
      ofFixture(`create(${count})`, async () => await this.fixture.create(count))
    )
    const network = new Network(source, (backend) => this.fixture.wrap?.(backend) ?? backend)
    this.#open.add(network)
    this.#known ??= network.at(0).capabilities
    return network
  }

  async shared(kind: Shared): Promise<Network> {
    let network = this.#shared.get(kind)
    if (network === undefined) {
      network = this.#begin(kind)
      this.#shared.set(kind, network)
    }
    return await network
  }

  async #begin(kind: Shared): Promise<Network> {
    const network = await this.create(kind === 'solo' ? 1 : 3)
    await within(this.patience, 'every backend starts', network.startAll())
    if (kind === 'trio') await within(this.patience, 'link() resolves', network.link())
    return network
  }

  async capabilities(): Promise<Capabilities> {
    return this.#known ?? (await this.shared('solo')).at(0).capabilities
  }

  async close(network: Network): Promise<void> {
    if (!this.#open.delete(network)) return
    await within(this.patience, 'every backend stops, and the fixture disposes', network.dispose())
  }

  async closeAll(): Promise<void> {
    for (const network of this.#open) await this.close(network)
  }
}

/** One test under way: its time runs from when its network was there. */
export class TestRun {
  readonly kit: Kit
  readonly capabilities: Capabilities
  #end: number
  readonly #cleanups: (() => Promise<unknown>)[] = []
  readonly #controller = new AbortController()

  constructor(kit: Kit, capabilities: Capabilities) {
    this.kit = kit
    this.capabilities = capabilities
    this.#end = performance.now() + kit.patience
  }

  /** Fires at the end of the test, so that nothing it began goes on. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  remaining(): number {
    return Math.max(0, this.#end - performance.now())
  }

  async within<T>(what: string, promise: Promise<T>): Promise<T> {
    return await within(this.remaining(), what, promise)
  }

  async shared(kind: Shared): Promise<Network> {
    const network = await this.kit.shared(kind)
    this.#end = performance.now() + this.kit.patience
    return network
  }

  /** A network of this test's own; it is closed when the test ends. */
  async fresh(count: number): Promise<Network> {
    const network = await this.kit.create(count)
    this.defer(async () => await this.kit.close(network))
    this.#end = performance.now() + this.kit.patience
    return network
  }

  defer(cleanup: () => Promise<unknown>): void {
    this.#cleanups.push(cleanup)
  }

  /** Waits as long as the backend asks for between two publishes. */
  async pace(): Promise<void> {
    await pause(this.capabilities.messages?.pacing ?? 0)
  }

  async finish(): Promise<void> {
    this.#controller.abort()
    for (const cleanup of this.#cleanups.reverse()) await within(this.kit.patience, 'the test cleans up', cleanup())
  }
}

export function messagesOf(backend: Backend): MessageTransport {
  return backend.messages ?? fail('a backend that declares messages has the part', 'no `messages`')
}

export function blocksOf(backend: Backend): BlockTransport {
  return backend.blocks ?? fail('a backend that declares blocks has the part', 'no `blocks`')
}

export function routingOf(backend: Backend): Routing {
  return backend.routing ?? fail('a backend that declares routing has the part', 'no `routing`')
}

export function dagOf(backend: Backend): NonNullable<BlockTransport['getDag']> {
  const blocks = blocksOf(backend)
  if (blocks.getDag === undefined) fail('a backend that declares `dag` has getDag', 'no `getDag`')
  return (root, options) => (blocks.getDag as NonNullable<BlockTransport['getDag']>)(root, options)
}
