import { ensureKubo } from './ensure.ts'
import { KuboUnavailableError } from './unavailable.ts'

try {
  process.stdout.write(`${await ensureKubo()}\n`)
} catch (error) {
  if (!(error instanceof KuboUnavailableError)) throw error
  process.stderr.write(`kubo: ${error.reason}: ${error.message}\n`)
  process.exitCode = 1
}
