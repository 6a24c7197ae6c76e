import type { Capabilities } from '@p2pl/core/backend'
import { capabilityMatrix } from './matrix.ts'

export { capabilityMatrix } from './matrix.ts'

/** The outcome for one obligation. */
export interface ObligationReport {
  readonly suite: string
  readonly name: string
  /** `not applicable`: the backend does not declare what the obligation is about. `not run`: the runner skipped it. */
  readonly outcome: 'passed' | 'failed' | 'not applicable' | 'not run'
  /** For a failure: the obligation that was not kept, and what the test saw instead. */
  readonly seen?: string | undefined
}

/** One run of the kit, as data. */
export interface ConformanceReport {
  /** The version of this format. */
  readonly format: 1
  /** The name of the fixture. */
  readonly name: string
  /** The capabilities of the running backends. */
  readonly capabilities: Capabilities
  readonly obligations: readonly ObligationReport[]
}

/** A page for readers: how many obligations are kept, what the backend declares, and each failure. */
export function toMarkdown({ name, capabilities, obligations }: ConformanceReport): string {
  const count = (outcome: ObligationReport['outcome']): number =>
    obligations.filter((obligation) => obligation.outcome === outcome).length
  const applicable = obligations.length - count('not applicable')
  const left = count('not run') === 0 ? '' : `, ${count('not run')} were not run`
  const failures = obligations.filter(({ outcome }) => outcome === 'failed')
  return [
    `# What ${name} can do`,
    `It keeps ${count('passed')} of the ${applicable} obligations that follow from what it declares${left}. ` +
      'This page is written by the conformance kit of p2pl.',
    capabilityMatrix({ [name]: capabilities }),
    ...failures.map(({ suite, name: test, seen = '' }) => `**${suite}: ${test}**\n\n\`\`\`\n${seen}\n\`\`\``)
  ].join('\n\n')
}
