import { describe, it } from 'vitest'
import { missingNetwork } from './namespace.ts'

/**
 * Tests in networks of their own. Where there can be none, one test is skipped and says why; in CI it fails where a package
 * is all that is missing.
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

/** Prints what was measured (ms), as seconds: a figure for the README. */
export function note(what: string, figures: readonly number[]): void {
  process.stdout.write(`${what} ${figures.map((ms) => (ms / 1_000).toFixed(1)).join(', ')} s\n`)
}
