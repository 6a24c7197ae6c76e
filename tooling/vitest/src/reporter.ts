import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Reports prominently at the end what was not tested and why, followed by one plain line for programs. */
export default class NotTestedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const notTested: string[] = []
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state === 'passed') counts.passed++
        else if (state === 'failed') counts.failed++
        else {
          counts.skipped++
          notTested.push(describeSkip(module, test))
        }
      }
    }
    if (notTested.length > 0) {
      process.stdout.write(
        `\nNOT TESTED (${notTested.length}):\n${notTested.map((line) => `  - ${line}`).join('\n')}\n`
      )
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
  }
}

function describeSkip(module: TestModule, test: TestCase): string {
  const result = test.result()
  const note = result.state === 'skipped' ? result.note : undefined
  return `${module.relativeModuleId}: ${test.fullName}${note === undefined ? '' : ` — ${note}`}`
}
