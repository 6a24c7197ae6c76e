import type { CID } from 'multiformats/cid'
import type { AddOptions, AddResult, DataSource } from '../api/data.ts'
import { profile } from '../content/layout.ts'
import { writeFile } from '../content/writer.ts'
import { invalidArgument, unsupported } from '../errors.ts'
import type { Block } from '../port/common.ts'
import type { Countdown } from '../toolbox/countdown.ts'
import { checkFlag, checkFunction, checkWord } from '../toolbox/options.ts'
import type { Calls } from './calls.ts'
import type { Provider } from './provider.ts'
import { type Attempt, goalKeys, hasGoal, missed, reacherOf, receiptOf, type Wanted, wantedOf } from './reach.ts'
import type { StoreLock } from './store-lock.ts'

const operation = 'data.add'
const addKeys = ['until', 'pin', 'provide', 'onProgress', ...goalKeys]

interface Plan {
  readonly until: 'local' | 'provided' | 'retrievable'
  readonly wanted: Wanted | undefined
  readonly pin: boolean
  readonly provide: boolean
}

/** Stores one file, pins its root once all of it is stored, then provides it as requested, all within one timeout. */
export async function add(
  calls: Calls,
  provider: Provider,
  lock: StoreLock,
  source: DataSource,
  options: AddOptions | undefined
): Promise<AddResult> {
  const { transport } = calls.blocks(operation)
  const { until, wanted, pin, provide } = planOf(calls, options)
  const { context } = options ?? {}
  const { clock, timeouts } = calls.context
  const began = clock.now()
  const attempt: Attempt = { acknowledgements: [], heard: 0 }
  let stored: { readonly cid: CID; readonly size: number } | undefined

  const work = async (countdown: Countdown): Promise<AddResult> => {
    const { signal } = countdown
    const store = async (blocks: readonly Block[]): Promise<void> => {
      await countdown.race(calls.store(operation, blocks, { signal, context }))
      countdown.renew()
    }
    if (lock.collecting)
      countdown.waitsFor('a gc of this peer is under way; read its iteration to the end, or leave it')
    const { cid, contentBytes: size } = await lock.add(signal, async () => {
      countdown.waitsFor(undefined)
      const root = await writeFile(source, {
        layout: profile,
        operation,
        store,
        next: async (item) => {
          const next = await countdown.race(item)
          countdown.renew()
          return next
        },
        onStored: options?.onProgress
      })
      if (pin) {
        const onProgress = (): void => {
          countdown.renew()
        }
        await calls.port(operation, () => transport.pin(root.cid, { recursive: true, signal, context, onProgress }))
        calls.context.receipts?.()?.pinned(root.cid)
        countdown.renew()
      }
      return root
    })
    stored = { cid, size }
    if (until === 'provided') {
      await calls.port(operation, () => calls.routing('provide', operation).provide(cid, { signal, context }))
      provider.provided(cid)
    } else if (provide) provider.provide(cid)
    if (wanted !== undefined) await reacherOf(calls, operation).reach(cid, wanted, countdown, attempt)
    const reached = until === 'provided' ? until : 'local'
    return { cid, size, receipt: receiptOf(cid, reached, attempt, clock.now() - began) }
  }
  try {
    return await calls.run(options, timeouts.put, operation, work, addKeys)
  } catch (error) {
    if (stored === undefined) throw error
    const reached = receiptOf(stored.cid, 'local', attempt, clock.now() - began)
    throw missed(error, reached, wanted === undefined ? undefined : attempt)
  }
}

/** The work that the options ask for, checked against the backend's capabilities before any of it starts. */
function planOf(calls: Calls, options: AddOptions | undefined): Plan {
  const until = checkWord(operation, 'until', options?.until, ['local', 'provided', 'retrievable'], 'local')
  const { pin, provide, onProgress } = options ?? {}
  checkFlag(operation, 'pin', pin)
  checkFlag(operation, 'provide', provide)
  checkFunction(operation, 'onProgress', onProgress)
  const { capabilities } = calls.blocks(operation)
  const { name } = calls.context.backend
  const canPin = capabilities.pins !== 'none'
  if (pin === true && !canPin) throw unsupported(name, `${operation} with pin: true`, 'it has no pins')
  const canProvide = calls.canRoute('provide')
  if (until === 'provided' && !canProvide) {
    throw unsupported(name, `${operation} with until: "provided"`, 'it cannot provide')
  }
  if (provide === true && !canProvide) throw unsupported(name, `${operation} with provide: true`, 'it cannot provide')
  if (until !== 'retrievable' && hasGoal(options)) {
    throw invalidArgument(operation, `${operation}: ${goalKeys.join(', ')} go with until: "retrievable"`)
  }
  if (until === 'retrievable') reacherOf(calls, operation)
  const wanted = until === 'retrievable' ? wantedOf(operation, options) : undefined
  return { until, wanted, pin: pin ?? canPin, provide: provide ?? canProvide }
}
