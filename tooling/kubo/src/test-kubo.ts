import { describe, it } from 'vitest'
import { ensureKubo } from './ensure.ts'
import { KuboUnavailableError } from './unavailable.ts'

const found = await ensureKubo().catch((error: unknown) => {
  if (!(error instanceof KuboUnavailableError) || process.env['CI'] === 'true') throw error
  return error
})

/**
 * A `describe` for tests that need a real daemon; `body` gets the path of the binary. Where there is none the reporter
 * lists the reason, and with `CI=true` the file fails.
 */
export function describeWithKubo(name: string, body: (binary: string) => void): void {
  describe(name, () => {
    if (typeof found === 'string') body(found)
    else it('needs a real Kubo daemon', (context) => context.skip(`${found.reason}: ${found.message.split('\n')[0]}`))
  })
}
