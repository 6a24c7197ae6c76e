import type { ConformanceFixture, Runner } from './fixture.ts'
import { Kit } from './kit/kit.ts'
import { runSuites } from './kit/run.ts'
import { suites } from './suites/index.ts'

export type * from './fixture.ts'
export type { ConformanceReport, ObligationReport } from './report/index.ts'

/**
 * Defines the tests that prove a backend, chosen by what it declares: the backend keeps every promise of the port, and
 * refuses what it declares as `none`.
 *
 * The tests share networks that the last test stops: run all of them, in their order, and not concurrently.
 */
export function conformance(runner: Runner, fixture: ConformanceFixture): void {
  runSuites(runner, new Kit(fixture), suites)
}
