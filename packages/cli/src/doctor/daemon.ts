import type { BackendChoice, Config } from '@p2pl/config'
import { isP2plError } from '@p2pl/core'
import { legsOf } from '../choose.ts'
import { type KuboOptions, kuboOptionNames, preflight } from '@p2pl/kubo'
import { type Check, failed } from './check.ts'

/** Examines each IPFS daemon that the configuration names, once. */
export async function checkDaemons(config: Config, signal: AbortSignal): Promise<Check[]> {
  const daemons = legsOf(config).filter(({ use }) => use === 'ipfs-rpc')
  const all = new Map(daemons.map((leg) => [JSON.stringify(leg.options), leg]))
  const checks = await Promise.all([...all.values()].map(async ({ options }) => await check(options, signal)))
  return checks.flat()
}

async function check(options: BackendChoice['options'], signal: AbortSignal): Promise<Check[]> {
  // The adapter has its own options in addition to those of the daemon.
  const known = kuboOptionNames.filter((name) => options[name] !== undefined).map((name) => [name, options[name]])
  try {
    return await preflight({ ...(Object.fromEntries(known) as KuboOptions), signal })
  } catch (error) {
    return [
      failed('daemon', error, isP2plError(error, 'INVALID_ARGUMENT') ? 'correct the options of ipfs-rpc' : undefined)
    ]
  }
}
