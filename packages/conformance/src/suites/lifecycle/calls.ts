import type { Backend } from '@p2pl/core/backend'
import { check, equal, fail, rejects, wellFormed } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { blocksOf, messagesOf, selfOf } from '../../kit/parts.ts'
import { rawBlock, uniqueName } from '../../kit/samples.ts'
import type { TestRun } from '../../kit/test.ts'
import { portCalls } from '../calls.ts'

export async function everyCallIsRefused(t: TestRun, backend: Backend): Promise<void> {
  for (const call of portCalls.filter(({ supported }) => supported(t.capabilities))) {
    const invoke = await call.prepare()
    await t.soon(
      `${call.operation} is refused at once`,
      rejects(() => invoke(backend), { backend, operation: call.operation, codes: ['NOT_RUNNING'] })
    )
  }
  try {
    backend.self()
  } catch (error) {
    wellFormed(error, { backend, operation: 'self', codes: ['NOT_RUNNING'] })
    return
  }
  fail('self() throws NOT_RUNNING while the backend does not run', 'it returned')
}

/** Checks that one simple call of each part works. */
export async function works(t: TestRun, backend: Backend): Promise<void> {
  check(selfOf(backend).id.length > 0, 'a running backend has an id', backend.self())
  if (t.capabilities.blocks !== undefined) {
    const block = await rawBlock()
    await t.within('put resolves', blocksOf(backend).putMany([block], { signal: t.signal }))
    equal(await t.within('has resolves', blocksOf(backend).has(block.cid)), true, 'has() is true after put')
  }
  if (t.capabilities.messages !== undefined) {
    const subscription = await t.within(
      'subscribe resolves',
      messagesOf(backend).subscribe(uniqueName('works'), new Inbox(), { signal: t.signal })
    )
    await t.within('close resolves', subscription.close())
  }
}
