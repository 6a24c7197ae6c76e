import type { Backend } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { equal, rejects } from '../../kit/check.ts'
import type { Network } from '../../kit/network.ts'
import { put, routingOf } from '../../kit/parts.ts'
import { rawBlock } from '../../kit/samples.ts'
import type { TestRun } from '../../kit/test.ts'

export const timedOut = (): DOMException => new DOMException('the time is over', 'TimeoutError')

/** The call with a signal that has already fired must reject with ABORTED. */
export async function refusesFired(
  t: TestRun,
  backend: Backend,
  operation: string,
  call: (signal: AbortSignal) => Promise<unknown>
): Promise<void> {
  await t.soon(
    `${operation} with a signal that has fired rejects at once`,
    rejects(() => call(AbortSignal.abort()), { backend, operation, codes: ['ABORTED'] })
  )
}

/** An open iteration must reject with ABORTED soon after its signal has fired, however many items are left. */
export async function endsIteration<T>(
  t: TestRun,
  backend: Backend,
  operation: string,
  open: (signal: AbortSignal) => AsyncIterable<T>
): Promise<void> {
  const controller = new AbortController()
  const iterator = open(controller.signal)[Symbol.asyncIterator]()
  const first = await t.within(`${operation} yields`, iterator.next())
  equal(first.done === true, false, `${operation} yields something`)
  controller.abort()
  await t.soon(
    `${operation} ends soon after its signal fired`,
    rejects(
      async () => {
        while ((await iterator.next()).done !== true);
      },
      { backend, operation, codes: ['ABORTED'] }
    )
  )
}

export async function providedByTwo(t: TestRun, network: Network): Promise<CID> {
  const block = await rawBlock()
  for (const index of [0, 1]) {
    if (t.capabilities.blocks !== undefined) await put(network.at(index), block)
    await t.within('provide resolves', routingOf(network.at(index)).provide(block.cid, { signal: t.signal }))
  }
  return block.cid
}
