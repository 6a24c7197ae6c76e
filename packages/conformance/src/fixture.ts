import type { Backend, Capabilities, Layer } from '@p2pl/core/backend'
import type { ConformanceReport } from './report/index.ts'

/**
 * The parts of a test runner that the kit needs. The functions of vitest, node:test, mocha, jest and Bun can be passed
 * unchanged.
 */
export interface Runner {
  describe(name: string, body: () => void): unknown
  /** `timeout` is in milliseconds. A runner without this argument ignores it. */
  it(name: string, body: () => Promise<void>, timeout?: number): unknown
  /**
   * Calls the listener for every unhandled rejection until the returned function is called. Default: the events of the
   * process or page.
   */
  onUnhandledRejection?: ((listener: (reason: unknown) => void) => () => void) | undefined
}

/** A few backends on one new, closed network. */
export interface ConformanceNetwork {
  /** Not started, with empty stores. The kit starts and stops them. */
  readonly backends: readonly Backend[]
  /**
   * Makes the running backends reach each other (dial, bootstrap), and resolves when they do. The kit calls it after a
   * start, a restart and a cut, so it must be repeatable. Default: `routing.connect` between all backends, if `connect` is
   * declared.
   */
  link?(): Promise<void>
  /**
   * A new backend on the data that the stopped backend `index` left behind, not started. Required if `persistence` is not
   * `none`. The kit stops it before it calls `dispose`.
   */
  reopen?(index: number): Promise<Backend>
  /**
   * Cuts the backend `index` off, like a pulled cable, while it keeps running: from its engine if that is outside the
   * process (a broker, a daemon), from the other peers if the engine is inside. The returned function ends the cut and does
   * nothing more; the kit calls `link` after it. Required unless the backend never uses a network.
   */
  cut?(index: number): Promise<() => Promise<void>>
  /**
   * Makes the next `start` of the backend `index` fail (its port or store is taken, its daemon is down) until the returned
   * function is called. Optional: without it, only a signal makes a start fail in the kit.
   */
  obstruct?(index: number): Promise<() => Promise<void>>
  /** Releases what the fixture itself owns: folders, helper processes. By then the kit has stopped the backends. */
  dispose?(): Promise<void>
}

export interface ConformanceFixture {
  /** Shown in the test names. */
  readonly name: string
  /** Makes `count` backends (1 to 3) on one new, closed network. */
  create(count: number): Promise<ConformanceNetwork> | ConformanceNetwork
  /** Wraps the backends, so that the whole kit runs on wrapped ones. */
  readonly wrap?: Layer | undefined
  /**
   * Longest duration of one test in milliseconds once its backends run. Default 15,000. Starting and linking a network may
   * take as long again.
   */
  readonly patience?: number | undefined
  /**
   * The capabilities of the (wrapped) backends. With them, only the tests that apply are defined, and the kit checks that
   * the backends declare the same. Without them, every test is defined, and a test that does not apply passes at once.
   */
  readonly capabilities?: Capabilities | undefined
  /** Whether `blocks.get` connects to the peers of its `providers` hint by itself. Default false: a hint may be ignored. */
  readonly followsHints?: boolean | undefined
  /**
   * Names that errors and events may carry in addition to the name of the backend. For combinators: an error says which of
   * the combined backends failed.
   */
  readonly parts?: readonly string[] | undefined
  /**
   * What `cut` takes away. It matters only if `recipients` is `none`: a backend that lost its engine must refuse a publish
   * or send it later (`engine`, the default). An engine inside the process may accept a message while no other peer is
   * reachable (`peers`).
   */
  readonly cutsFrom?: 'engine' | 'peers' | undefined
  /** Receives the report of the run, from its last test. `toMarkdown` of `@p2pl/conformance/report` turns it into a page. */
  readonly report?: ((report: ConformanceReport) => Promise<void> | void) | undefined
}
