import type { Backend, Layer } from '@p2pl/core/backend'

/** What the kit needs of a test runner: vitest, node:test and mocha all have it. */
export interface Runner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
}

/** A few backends of one fresh, closed network. */
export interface ConformanceNetwork {
  /** Not started, stores empty. The kit starts and stops them. */
  readonly backends: readonly Backend[]
  /** Called once all are started: makes them reach each other (dial, bootstrap), and resolves when they do. */
  link(): Promise<void>
  /** A new, unstarted backend over what the stopped `index`-th left behind. Required where `persistence` is not `none`. */
  reopen?(index: number): Promise<Backend>
  /** Cuts the `index`-th off from the others as a lost network does, and heals it. Required where `messages.gaps` is not `none`. */
  interrupt?(index: number): Promise<void>
  /** Releases what the fixture itself holds: folders, helper processes. The kit has stopped the backends. */
  dispose(): Promise<void>
}

export interface ConformanceFixture {
  /** Shown in the test names. */
  readonly name: string
  create(count: number): Promise<ConformanceNetwork>
  /** Runs the whole kit over wrapped backends. */
  readonly wrap?: Layer | undefined
  /** Upper bound for waiting in one test, in milliseconds. Default 15,000. */
  readonly patience?: number | undefined
}
