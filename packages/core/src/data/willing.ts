import type { CallOptions, CidInput } from '../api/common.ts'
import type { WillingOptions, WillingPeer } from '../api/receipts.ts'
import { peerIds } from '../receipts/settings.ts'
import { checkNumber } from '../toolbox/options.ts'
import type { Calls } from './calls.ts'
import { toCid } from './cid-input.ts'
import { reacherOf } from './reach.ts'

export async function willing(calls: Calls, options: WillingOptions | undefined): Promise<readonly WillingPeer[]> {
  const operation = 'data.willing'
  const cid = options?.cid === undefined ? undefined : toCid(options.cid, operation)
  const bytes = checkNumber(operation, 'bytes', options?.bytes, { min: 0, integer: true }, 0)
  const within = checkNumber(operation, 'within', options?.within, { min: 1, max: 60_000 }, 2_000)
  const reacher = reacherOf(calls, operation)
  return await calls.run(
    options,
    calls.context.timeouts.routing + within,
    operation,
    ({ signal }) => reacher.willing({ cid, bytes, within }, signal),
    ['cid', 'bytes', 'within']
  )
}

export async function release(
  calls: Calls,
  input: CidInput,
  options: CallOptions & { peers: readonly string[] }
): Promise<void> {
  const operation = 'data.release'
  const cid = toCid(input, operation)
  const peers = peerIds(operation, 'peers', options?.peers, 256)
  const reacher = reacherOf(calls, operation)
  await calls.run(
    options,
    calls.context.timeouts.publish,
    operation,
    ({ signal }) => reacher.release(cid, [...peers], signal),
    ['peers']
  )
}
