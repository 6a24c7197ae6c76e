import { describe, it } from 'vitest'
import { missingNetwork } from './namespace.ts'

/**
 * Tests in separate networks. If the machine does not support them, one test is skipped and says why. In CI that test
 * fails if only a package is missing.
 */
export function describeInNetwork(name: string, body: () => void): void {
  const missing = missingNetwork()
  describe(name, () => {
    if (missing === undefined) body()
    else
      it('needs network namespaces', (context) => {
        if (missing.canBeInstalled && process.env['CI'] === 'true') throw new Error(missing.reason)
        context.skip(missing.reason)
      })
  })
}

/** Whether this is `npm run test:long`. */
export const isLong: boolean = process.env['P2PL_LONG'] === '1'

/** Prints measured times (ms) as seconds, for the README. */
export function note(what: string, figures: readonly number[]): void {
  process.stdout.write(`${what} ${figures.map((ms) => (ms / 1_000).toFixed(1)).join(', ')} s\n`)
}
