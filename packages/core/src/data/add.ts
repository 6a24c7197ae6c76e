import type { AddOptions, AddResult, DataSource } from '../api/data.ts'
import { profile } from '../content/layout.ts'
import { writeFile } from '../content/writer.ts'
import { invalidArgument, unsupported } from '../errors.ts'
import type { Block } from '../port/common.ts'
import type { Announcer } from './announcer.ts'
import type { Calls } from './calls.ts'

const operation = 'data.add'

/** Stores one file, pins its root when all of it is stored, then announces it as asked for. */
export async function add(
  calls: Calls,
  announcer: Announcer,
  source: DataSource,
  options: AddOptions | undefined
): Promise<AddResult> {
  const { deadlines } = calls.context
  const { transport } = calls.blocks(operation)
  const plan = planOf(calls, options)

  const root = await calls.run(options, deadlines.put, operation, (countdown) => {
    const { signal } = countdown
    const store = async (blocks: readonly Block[]): Promise<void> => {
      const [first] = blocks
      await countdown.race(
        calls.port(operation, () =>
          // One block needs no batch: engines have a shorter way for it.
          blocks.length === 1 && first !== undefined
            ? transport.put(first, { signal })
            : transport.putMany(blocks, { signal })
        )
      )
      countdown.renew()
    }
    return writeFile(source, {
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
  })
  const { cid } = root

  if (plan.pin) {
    await calls.run(options, deadlines.store, operation, ({ signal }) =>
      calls.port(operation, () => transport.pin(cid, { recursive: true, signal }))
    )
  }
  if (plan.until === 'announced') {
    await calls.run(options, deadlines.routing, operation, ({ signal }) =>
      calls.port(operation, () => calls.routing('provide', operation).provide(cid, { signal }))
    )
  } else if (plan.announce) announcer.announce(cid)
  return { cid, size: root.contentBytes, reached: plan.until }
}

/** What is to be done, checked before any work against what the backend can do. */
function planOf(
  calls: Calls,
  options: AddOptions | undefined
): { until: 'local' | 'announced'; pin: boolean; announce: boolean } {
  const { until = 'local', pin, announce } = options ?? {}
  const { capabilities } = calls.blocks(operation)
  const { name } = calls.context.backend
  if (until !== 'local' && until !== 'announced') {
    throw invalidArgument(operation, `until must be "local" or "announced", not "${String(until)}"`)
  }
  const canPin = capabilities.pins !== 'none'
  if (pin === true && !canPin) throw unsupported(name, `${operation} with pin: true`, 'it has no pins')
  const canProvide = calls.canRoute('provide')
  if (until === 'announced' && !canProvide) {
    throw unsupported(name, `${operation} with until: "announced"`, 'it cannot provide')
  }
  if (announce === true && !canProvide) throw unsupported(name, `${operation} with announce: true`, 'it cannot provide')
  return { until, pin: pin ?? canPin, announce: announce ?? canProvide }
}
