import { describe, it } from 'vitest'
import { ensureGoTool } from './ensure.ts'
import type { GoTool } from './tool.ts'
import { GoToolUnavailableError } from './unavailable.ts'

/** Describes tests that need the program. `body` receives the path of the binary. */
export type DescribeWithTool = (name: string, body: (binary: string) => void) => void

/** Waits for the program. If it is not available, the reporter lists the reason, and with `CI=true` the file fails. */
export async function describeWith(tool: GoTool): Promise<DescribeWithTool> {
  const found = await ensureGoTool(tool).catch((error: unknown) => {
    if (!(error instanceof GoToolUnavailableError) || process.env['CI'] === 'true') throw error
    return error
  })
  return (name, body) => {
    describe(name, () => {
      if (typeof found === 'string') body(found)
      else
        it(`needs a real ${tool.name}`, (context) => context.skip(`${found.reason}: ${found.message.split('\n')[0]}`))
    })
  }
}
