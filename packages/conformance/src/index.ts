import type { ConformanceFixture, Runner } from './fixture.ts'
import { Kit } from './kit/kit.ts'
import { runSuites } from './kit/run.ts'
import { abort } from './suites/abort.ts'
import { exchange, store } from './suites/blocks.ts'
import { concurrency } from './suites/concurrency.ts'
import { guarantees } from './suites/guarantees.ts'
import { hostile } from './suites/hostile.ts'
import { lifecycle } from './suites/lifecycle.ts'
import { messages } from './suites/messages.ts'
import { dags, pins } from './suites/pins.ts'
import { refusals } from './suites/refusals.ts'
import { routing } from './suites/routing.ts'

export type * from './fixture.ts'

/**
 * Defines the tests that prove a backend, chosen by what it declares: that it keeps every promise of the port, and
 * refuses what it declares as `none`.
 *
 * The tests share networks that the last test stops: run them all, in their order, and not concurrently.
 */
export function conformance(runner: Runner, fixture: ConformanceFixture): void {
  runSuites(runner, new Kit(fixture), [
    refusals,
    lifecycle,
    messages,
    guarantees,
    store,
    exchange,
    pins,
    dags,
    routing,
    hostile,
    abort,
    concurrency
  ])
}
