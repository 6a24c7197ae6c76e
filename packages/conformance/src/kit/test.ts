import { sleep, type Capabilities } from '@p2pl/core/backend'
import type { ConformanceFixture } from '../fixture.ts'
import type { Kit, Shared } from './kit.ts'
import type { Network } from './network.ts'
import { soonMs, within } from './time.ts'
import { usableAgain } from './usable.ts'

export interface Test {
  /** The obligation that it checks. */
  readonly name: string
  /** Whether it applies to a backend with these capabilities. Default: always. */
  readonly when?: (capabilities: Capabilities, fixture: ConformanceFixture) => boolean
  run(t: TestRun): Promise<void>
}

export interface Suite {
  readonly name: string
  readonly tests: readonly Test[]
}

/** One running test. Its time starts when its network is there. */
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

  /** Fires at the end of the test, so that nothing that the test began continues. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  remaining(): number {
    return Math.max(0, this.#end - performance.now())
  }

  async within<T>(what: string, promise: Promise<T>): Promise<T> {
    return await within(this.remaining(), what, promise)
  }

  /** For promises of the port that say "at once" or "soon". */
  async soon<T>(what: string, promise: Promise<T>): Promise<T> {
    return await within(Math.min(soonMs, this.remaining()), what, promise)
  }

  /** After this long without a message, the test assumes that no more will come. */
  get quietMs(): number {
    return Math.min(soonMs, this.remaining())
  }

  async shared(kind: Shared): Promise<Network> {
    return this.#timed(await this.kit.shared(kind))
  }

  /** A separate network for this test, not started. It is closed when the test ends. */
  async fresh(count: number): Promise<Network> {
    return this.#own(await this.kit.create(count))
  }

  /** A separate network for this test, started and linked. It is closed when the test ends. */
  async linked(count: number): Promise<Network> {
    return this.#own(await this.kit.linked(count))
  }

  /**
   * Cuts one backend off until the returned function is called, or until the test ends. That function links the network
   * again, and resolves when the backend works again.
   */
  async cut(network: Network, index: number): Promise<(options?: { link: boolean }) => Promise<void>> {
    const heal = await this.within('cut() resolves', network.cut(index))
    let healed: Promise<void> | undefined
    const once = async ({ link = true } = {}): Promise<void> => {
      healed ??= heal()
      await within(this.kit.patience, 'the network heals', healed)
      if (!link) return
      await within(this.kit.patience, 'link() after a cut resolves', network.link())
      const usable = usableAgain(this.kit.patience, network.at(index))
      await within(this.kit.patience, 'a backend works again by itself after a cut', usable)
    }
    this.defer(async () => {
      if (healed === undefined) await once()
    })
    return once
  }

  defer(cleanup: () => Promise<unknown>): void {
    this.#cleanups.push(cleanup)
  }

  /** Waits for the pause that the backend asks for between two publishes. */
  async pace(): Promise<void> {
    await sleep(this.capabilities.messages?.pacing ?? 0)
  }

  async finish(): Promise<void> {
    this.#controller.abort()
    for (const cleanup of this.#cleanups.reverse()) await within(this.kit.patience, 'the test cleans up', cleanup())
  }

  #own(network: Network): Network {
    this.defer(async () => await this.kit.close(network))
    return this.#timed(network)
  }

  #timed(network: Network): Network {
    this.#end = performance.now() + this.kit.patience
    return network
  }
}
