import { invalidArgument } from '@p2pl/core/backend'
import type { DaemonOptions } from './options.ts'

export function checkDaemonOptions(options: DaemonOptions): void {
  const fail = (message: string): never => {
    throw invalidArgument('kubo', message)
  }
  const known = new Set(
    'repo profile binary lowResource listen bootstrap swarmKey connections storageMax gcPeriod config api startTimeout hangTimeout stopTimeout'.split(
      ' '
    )
  )
  for (const key of Object.keys(options))
    if (!known.has(key)) fail(`there is no option "daemon.${key}"; there are: ${[...known].join(', ')}`)
  if (typeof options.repo !== 'string' || options.repo === '')
    fail('"daemon.repo" names the folder of the daemon\'s repo')
  if (options.profile !== undefined && !['closed', 'lan', 'public'].includes(options.profile))
    fail(`"daemon.profile" is closed, lan or public, not ${options.profile}`)
  if (options.swarmKey !== undefined && !/^[0-9a-f]{64}$/i.test(options.swarmKey))
    fail('"daemon.swarmKey" is 64 hex digits')
  if (options.connections !== undefined) {
    const { low, high } = options.connections
    if (!Number.isInteger(low) || !Number.isInteger(high) || low < 1 || high < low)
      fail('"daemon.connections" is { low, high } with 1 <= low <= high')
  }
  if (options.storageMax !== undefined && !/^\d+(?:\.\d+)?\s*[KMGT]?i?B$/i.test(options.storageMax))
    fail('"daemon.storageMax" is a size such as "10GB"')
  if (options.gcPeriod !== undefined && !/^(?:\d+(?:\.\d+)?(?:h|m|s|ms))+$/.test(options.gcPeriod))
    fail('"daemon.gcPeriod" is a duration such as "1h"')
  for (const key of ['startTimeout', 'hangTimeout', 'stopTimeout'] as const) {
    const value = options[key]
    if (value !== undefined && !(value >= 100 && value <= 3_600_000)) fail(`"daemon.${key}" is 100 to 3,600,000 ms`)
  }
}
