import { checkKeys, checkNumber, checkWord, invalidArgument } from '@p2pl/core/backend'
import type { DaemonOptions } from './options.ts'

const names: readonly (keyof DaemonOptions)[] = [
  'repo',
  'profile',
  'binary',
  'lowResource',
  'listen',
  'bootstrap',
  'swarmKey',
  'connections',
  'storageMax',
  'gcPeriod',
  'config',
  'api',
  'startTimeout',
  'hangTimeout',
  'stopTimeout'
]

/** Throws `INVALID_ARGUMENT`. */
export function checkDaemonOptions(options: DaemonOptions): void {
  const need = (right: boolean, message: string): void => {
    if (!right) throw invalidArgument('kubo', `kubo: ${message}`)
  }
  const { repo, swarmKey, connections, storageMax, gcPeriod, bootstrap } = options
  checkKeys('kubo daemon', options, names)
  need(typeof repo === 'string' && repo !== '', '"daemon.repo" names the folder of the daemon\'s repo')
  checkWord('kubo', 'daemon.profile', options.profile, ['closed', 'lan', 'public'], 'closed')
  checkWord('kubo', 'daemon.api', options.api, ['socket', 'tcp'], 'socket')
  need(swarmKey === undefined || /^[0-9a-f]{64}$/i.test(swarmKey), '"daemon.swarmKey" is 64 hex digits')
  if (connections !== undefined) {
    const { low, high } = connections
    need(
      Number.isInteger(low) && Number.isInteger(high) && low >= 1 && high >= low,
      '"daemon.connections" is { low, high } with 1 <= low <= high'
    )
  }
  need(
    storageMax === undefined || /^\d+(?:\.\d+)?\s*[KMGT]?i?B$/i.test(storageMax),
    '"daemon.storageMax" is a size such as "10GB"'
  )
  need(
    gcPeriod === undefined || /^(?:\d+(?:\.\d+)?(?:h|m|s|ms))+$/.test(gcPeriod),
    '"daemon.gcPeriod" is a duration such as "1h"'
  )
  for (const address of bootstrap ?? [])
    need(
      /^\/.+\/p2p\/[A-Za-z0-9]+$/.test(address),
      `"daemon.bootstrap" holds ${JSON.stringify(address).slice(0, 200)}: each entry is a multiaddr that ends with /p2p/<peer id>`
    )
  for (const name of ['startTimeout', 'hangTimeout', 'stopTimeout'] as const)
    checkNumber('kubo', `daemon.${name}`, options[name], { min: 100, max: 3_600_000 }, undefined)
}
