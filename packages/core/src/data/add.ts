import type { AddOptions, AddResult, DataSource } from '../api/data.ts'
import { profile } from '../content/layout.ts'
import { writeFile } from '../content/writer.ts'
import { unsupported } from '../errors.ts'
import type { Block } from '../port/common.ts'
import { checkFlag, checkFunction, checkWord } from '../toolbox/options.ts'
import type { Calls } from './calls.ts'
import type { Provider } from './provider.ts'
import type { StoreLock } from './store-lock.ts'

const operation = 'data.add'
const addKeys = ['until', 'pin', 'provide', 'onProgress']

interface Plan {
  readonly until: 'local' | 'provided'
  readonly pin: boolean
  readonly provide: boolean
}

/** Stores one file, pins its root when all of it is stored, then provides it as asked for: one timeout for all of it. */
export async function add(
  calls: Calls,
  provider: Provider,
  lock: StoreLock,
  source: DataSource,
  options: AddOptions | undefined
): Promise<AddResult> {
  const { transport } = calls.blocks(operation)
  const { until, pin, provide } = planOf(calls, options)
  const { context } = options ?? {}

  return await calls.run(
    options,
    calls.context.timeouts.put,
    operation,
    async (countdown) => {
      const { signal } = countdown
      const store = async (blocks: readonly Block[]): Promise<void> => {
        await countdown.race(calls.store(operation, blocks, { signal, context }))
        countdown.renew()
      }
      if (lock.collecting)
        countdown.waitsFor('a gc of this peer is under way; read its iteration to the end, or leave it')
      const { cid, contentBytes } = await lock.add(signal, async () => {
        countdown.waitsFor(undefined)
        const root = await writeFile(source, {
          layout: profile,
          operation,
          store,
          next: async (work) => {
            const item = await countdown.race(work)
            countdown.renew()
            return item
          },
          onStored: options?.onProgress
        })
        if (pin) {
          const onProgress = (): void => {
            countdown.renew()
          }
          await calls.port(operation, () => transport.pin(root.cid, { recursive: true, signal, context, onProgress }))
          countdown.renew()
        }
        return root
      })
      if (until === 'provided') {
        await calls.port(operation, () => calls.routing('provide', operation).provide(cid, { signal, context }))
        provider.provided(cid)
      } else if (provide) provider.provide(cid)
      return { cid, size: contentBytes }
    },
    addKeys
  )
}

/** What the options ask for, checked before any work against what the backend can do. */
function planOf(calls: Calls, options: AddOptions | undefined): Plan {
  const until = checkWord(operation, 'until', options?.until, ['local', 'provided'], 'local')
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
  return { until, pin: pin ?? canPin, provide: provide ?? canProvide }
}
