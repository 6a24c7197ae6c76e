import { type Capabilities, checkBackend } from '@p2pl/core/backend'
import type { ConformanceFixture } from '../fixture.ts'
import { nameParts } from './check.ts'
import { Network, ofFixture } from './network.ts'
import { within } from './time.ts'

/** `pair` and `trio`: linked. `solo`: a single one. `strangers`: three, started but not linked. */
export type Shared = 'pair' | 'trio' | 'solo' | 'strangers'

const sizes: Readonly<Record<Shared, number>> = { solo: 1, pair: 2, trio: 3, strangers: 3 }

/** Everything that the tests of one run share. An engine starts slowly, so networks are few and live long. */
export class Kit {
  readonly fixture: ConformanceFixture
  readonly patience: number
  readonly #shared = new Map<Shared, Promise<Network>>()
  readonly #open = new Set<Network>()

  constructor(fixture: ConformanceFixture) {
    this.fixture = fixture
    this.patience = fixture.patience ?? 15_000
  }

  async create(count: number): Promise<Network> {
    const source = await within(
      this.patience,
      `create(${count}) resolves`,
      ofFixture(`create(${count})`, async () => {
        const made = await this.fixture.create(count)
        for (const [index, backend] of made.backends.entries())
          checkBackend('conformance', `backends[${index}]`, backend)
        return made
      })
    )
    const { wrap, parts = [] } = this.fixture
    const network = new Network(source, (backend) => {
      const wrapped = wrap?.(backend) ?? backend
      nameParts(wrapped, parts)
      return wrapped
    })
    this.#open.add(network)
    return network
  }

  async shared(kind: Shared): Promise<Network> {
    let network = this.#shared.get(kind)
    if (network === undefined) {
      network = this.linked(sizes[kind], kind === 'pair' || kind === 'trio')
      this.#shared.set(kind, network)
    }
    return await network
  }

  /** A started network, linked unless `link` is false. */
  async linked(count: number, link = true): Promise<Network> {
    const network = await this.create(count)
    await within(this.patience, 'every backend starts', network.startAll())
    if (link) await within(this.patience, 'link() resolves', network.link())
    return network
  }

  /** The capabilities of a running backend, since its limits may be known only then. */
  async capabilities(): Promise<Capabilities> {
    return (await this.shared('solo')).at(0).capabilities
  }

  async close(network: Network): Promise<void> {
    if (!this.#open.delete(network)) return
    await within(this.patience, 'every backend stops, and the fixture disposes', network.dispose())
  }

  async closeAll(): Promise<void> {
    for (const network of this.#open) await this.close(network)
  }
}
