import type { Backend, Capabilities, Layer } from '@p2pl/core/backend'

/** What the kit needs of a test runner: vitest, node:test and mocha all have it. */
export interface Runner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
  /**
   * Calls the listener for every unhandled rejection of the process or page until the returned function is called.
   * Where it is given, the kit proves that none came up while it ran.
   */
  onUnhandledRejection?: ((listener: (reason: unknown) => void) => () => void) | undefined
}

/** A few backends of one fresh, closed network. */
export interface ConformanceNetwork {
  /** Not started, stores empty. The kit starts and stops them. */
  readonly backends: readonly Backend[]
  /**
   * Called once all are started, and again when some were restarted: makes them reach each other (dial, bootstrap), and
   * resolves when they do.
   */
  link(): Promise<void>
  /**
   * A new, unstarted backend over what the stopped `index`-th left behind. Required where `persistence` is not `none`.
   * The kit stops what it gets here before it calls `dispose`.
   */
  reopen?(index: number): Promise<Backend>
  /** Cuts the `index`-th off from the others as a lost network does, and heals it. Required where `messages.gaps` is not `none`. */
  interrupt?(index: number): Promise<void>
  /**
   * Makes the next `start` of the `index`-th fail (its port or store taken, its daemon down) until the returned function
   * was called. Optional: without it the kit checks a failed start with a signal that fires only.
   */
  obstruct?(index: number): Promise<() => Promise<void>>
  /** Releases what the fixture itself holds: folders, helper processes. The kit has stopped the backends. */
  dispose(): Promise<void>
}

export interface ConformanceFixture {
  /** Shown in the test names. */
  readonly name: string
  create(count: number): Promise<ConformanceNetwork>
  /** Runs the whole kit over wrapped backends. */
  readonly wrap?: Layer | undefined
  /**
   * Longest wait in one test, in milliseconds, once its backends run. Default 15,000. Starting and linking a network may
   * take as long again.
   */
  readonly patience?: number | undefined
  /**
   * What the (wrapped) backends declare. With it only the tests that apply are defined, and the kit checks that the
   * backends say the same; without it every test is defined, and one that does not apply passes at once.
   */
  readonly capabilities?: Capabilities | undefined
  /**
   * Whether `blocks.get` connects to the participants of its `providers` hint by itself. Default false: a hint may be
   * ignored.
   */
  readonly followsHints?: boolean | undefined
}
