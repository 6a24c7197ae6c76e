import type { ConformanceFixture, Runner } from './fixture.ts'
import { Kit } from './kit/kit.ts'
import { runSuites } from './kit/run.ts'
import { suites } from './suites/index.ts'

export type * from './fixture.ts'
export type { ConformanceReport, ObligationReport } from './report/index.ts'

/**
 * Defines the tests for a backend, chosen by its capabilities. They prove that the backend keeps every promise of the port,
 * and refuses whatever it declares as `none`.
 *
 * The tests share networks, which the last test stops. Run all of them, in order, and not concurrently.
 */
export function conformance(runner: Runner, fixture: ConformanceFixture): void {
  runSuites(runner, new Kit(fixture), suites)
}
