import type { Capabilities } from '@p2pl/core/backend'
import type { ConformanceFixture } from '../fixture.ts'
import type { ConformanceReport, ObligationReport } from '../report/index.ts'
import { show } from './check.ts'
import type { Suite, Test } from './test.ts'

/** How the tests of one run ended, so far. */
export type Endings = Map<Test, Pick<ObligationReport, 'outcome' | 'seen'>>

/** Runs a test and records how it ended. */
export async function noting(endings: Endings, test: Test, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    endings.set(test, { outcome: 'passed' })
  } catch (error) {
    endings.set(test, { outcome: 'failed', seen: error instanceof Error ? error.message : show(error) })
    throw error
  }
}

export function reportOf(
  suites: readonly Suite[],
  endings: Endings,
  fixture: ConformanceFixture,
  capabilities: Capabilities
): ConformanceReport {
  const obligations = suites.flatMap((suite) =>
    suite.tests.map((test): ObligationReport => {
      const applies = test.when?.(capabilities, fixture) !== false
      const ending = applies ? (endings.get(test) ?? { outcome: 'not run' }) : { outcome: 'not applicable' }
      return { suite: suite.name, name: test.name, ...(ending as Pick<ObligationReport, 'outcome'>) }
    })
  )
  return { format: 1, name: fixture.name, capabilities, obligations }
}
