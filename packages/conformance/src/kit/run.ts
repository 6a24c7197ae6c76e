import type { Runner } from '../fixture.ts'
import { fail } from './check.ts'
import type { Kit } from './kit.ts'
import { watchRejections } from './rejections.ts'
import { type Endings, noting, reportOf } from './report.ts'
import { TestRun, type Suite, type Test } from './test.ts'
import { turn, within } from './time.ts'

/** Passes the suites to the runner, followed by the test that ends everything they share. */
export function runSuites(runner: Runner, kit: Kit, suites: readonly Suite[]): void {
  // Setting up and cleaning up have their own limits of one patience each. The kit's message should come before the runner's.
  const timeout = kit.patience * 6
  const watch = runner.onUnhandledRejection ?? watchRejections
  const rejections: unknown[] = []
  let unwatch: (() => void) | undefined
  const it = (name: string, body: () => Promise<void>): void => {
    const test = async function (this: unknown): Promise<void> {
      // Mocha takes its time limit from here.
      const context = this as { timeout?: unknown } | undefined
      if (typeof context?.timeout === 'function') context.timeout(timeout)
      unwatch ??= watch((reason) => void rejections.push(reason))
      await body()
    }
    runner.it(name, test, timeout)
  }
  const endings: Endings = new Map()
  const finish = async (): Promise<void> => {
    await kit.closeAll()
    // A runtime reports an unhandled rejection after the turn in which it occurred.
    await turn()
    unwatch?.()
    if (rejections.length > 0) fail('no rejection is left unhandled', rejections, rejections[0])
  }
  const last: Test = { name: 'every backend stops, and no rejection was left unhandled', run: finish }
  const end: Suite = { name: 'end', tests: [last] }
  const { capabilities: declared, report } = kit.fixture
  runner.describe(`conformance of ${kit.fixture.name}`, () => {
    for (const suite of suites) {
      const tests = suite.tests.filter((test) => declared === undefined || test.when?.(declared, kit.fixture) !== false)
      if (tests.length === 0) continue
      runner.describe(suite.name, () => {
        for (const test of tests)
          it(test.name, async () => await noting(endings, test, async () => await runTest(kit, test)))
      })
    }
    runner.describe(end.name, () => {
      it(last.name, async () => {
        const capabilities = report === undefined ? {} : await kit.capabilities().catch(() => declared ?? {})
        try {
          await noting(endings, last, finish)
        } finally {
          await report?.(reportOf([...suites, end], endings, kit.fixture, capabilities))
        }
      })
    })
  })
}

async function runTest(kit: Kit, test: Test): Promise<void> {
  const capabilities = await kit.capabilities()
  if (test.when?.(capabilities, kit.fixture) === false) return
  const run = new TestRun(kit, capabilities)
  let failure: unknown
  try {
    // Setting up networks has its own limits. This one catches a call that never settles.
    await within(kit.patience * 4, 'every call of the test settles', test.run(run))
  } catch (error) {
    failure = error
  }
  try {
    await run.finish()
  } catch (error) {
    failure ??= error
  }
  if (failure === undefined) return
  if (failure instanceof Error && failure.name === 'ConformanceError') throw failure
  fail(test.name, failure, failure)
}
