import { ensureGoTool } from './ensure.ts'
import type { GoTool } from './tool.ts'
import { GoToolUnavailableError } from './unavailable.ts'

/** Builds the program if needed, and prints its path. */
export async function runMain(tool: GoTool): Promise<void> {
  try {
    process.stdout.write(`${await ensureGoTool(tool)}\n`)
  } catch (error) {
    if (!(error instanceof GoToolUnavailableError)) throw error
    process.stderr.write(`${tool.name}: ${error.reason}: ${error.message}\n`)
    process.exitCode = 1
  }
}
