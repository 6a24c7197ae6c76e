import type { Backend, BackendEvent } from '@p2pl/core/backend'
import type { ConformanceNetwork } from '../fixture.ts'
import { fail } from './check.ts'

/** Calls the fixture. If that fails, it says nothing about the obligation under test. */
export async function ofFixture<T>(part: string, call: () => Promise<T> | T): Promise<T> {
  try {
    return await call()
  } catch (error) {
    return fail(`${part} of the fixture resolves: mend the fixture first, or the code that it calls`, error, error)
  }
}

/** A network of the fixture, with its backends wrapped. */
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
    await ofFixture('link()', async () => await (this.#source.link?.() ?? this.#connectAll()))
  }

  async reopen(index: number): Promise<Backend> {
    if (this.#source.reopen === undefined)
      fail('a fixture whose backends declare persistence gives `reopen`', 'no reopen')
    const reopen = this.#source.reopen.bind(this.#source, index)
    const backend = this.#wrap(await ofFixture(`reopen(${index})`, reopen))
    this.#reopened.push(backend)
    return backend
  }

  /** Returns the function that heals the network. */
  async cut(index: number): Promise<() => Promise<void>> {
    if (this.#source.cut === undefined) fail('a fixture whose backends use a network gives `cut`', 'no cut')
    const heal = await ofFixture(`cut(${index})`, this.#source.cut.bind(this.#source, index))
    return async () => await ofFixture(`the function that cut(${index}) returned`, heal)
  }

  /** Returns undefined if the fixture cannot make a start fail. */
  async obstruct(index: number): Promise<(() => Promise<void>) | undefined> {
    return await ofFixture(`obstruct(${index})`, async () => await this.#source.obstruct?.(index))
  }

  async dispose(): Promise<void> {
    try {
      await Promise.all([...this.backends, ...this.#reopened].map(async (backend) => await backend.stop()))
    } finally {
      await ofFixture('dispose()', async () => await this.#source.dispose?.())
    }
  }

  async #connectAll(): Promise<void> {
    const routed = this.backends.filter(({ capabilities: { routing } }) => (routing?.connect ?? 'none') !== 'none')
    for (const [i, backend] of routed.entries())
      for (const earlier of routed.slice(0, i)) for (const peer of earlier.self()) await backend.routing?.connect(peer)
  }
}
