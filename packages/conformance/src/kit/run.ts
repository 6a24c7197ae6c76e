import type { Runner } from '../fixture.ts'
import { TestRun, type Kit, type Suite, type Test } from './kit.ts'
import { fail } from './check.ts'
import { within } from './time.ts'

/** Hands the suites to the runner, and after them the test that ends everything they share. */
export function runSuites(runner: Runner, kit: Kit, suites: readonly Suite[]): void {
  const rejections: unknown[] = []
  const ignore = runner.onUnhandledRejection?.((reason) => void rejections.push(reason))
  const declared = kit.fixture.capabilities
  runner.describe(`conformance of ${kit.fixture.name}`, () => {
    for (const suite of suites) {
      const tests = suite.tests.filter((test) => declared === undefined || test.when?.(declared, kit.fixture) !== false)
      if (tests.length === 0) continue
      runner.describe(suite.name, () => {
        for (const test of tests) runner.it(test.name, async () => await runTest(kit, test))
      })
    }
    runner.describe('end', () => {
      runner.it('every backend stops, and no rejection was left unhandled', async () => {
        await kit.closeAll()
        // A runtime reports an unhandled rejection after the turn in which it came up.
        await new Promise<void>((resolve) => setTimeout(resolve, 0))
        ignore?.()
        if (rejections.length > 0) fail('no rejection is left unhandled', rejections, rejections[0])
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
    // Setting up networks has its own bounds; this one only catches a call that never settles.
    await within(kit.patience * 3, 'every call of the test settles', test.run(run))
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
