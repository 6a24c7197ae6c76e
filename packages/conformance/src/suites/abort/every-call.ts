import { rejects, wellFormed } from '../../kit/check.ts'
import type { Test } from '../../kit/test.ts'
import { outcomeOf } from '../../kit/time.ts'
import { portCalls } from '../calls.ts'
import { timedOut } from './calls.ts'

export const everyCall: readonly Test[] = portCalls.flatMap((call): Test[] => [
  {
    name: `${call.operation} with a signal that has already fired rejects with ABORTED, or TIMEOUT where it was a timeout`,
    when: call.supported,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      for (const [signal, code] of [
        [AbortSignal.abort(), 'ABORTED'],
        [AbortSignal.abort('any reason'), 'ABORTED'],
        [AbortSignal.abort(timedOut()), 'TIMEOUT']
      ] as const) {
        const invoke = await call.prepare()
        await t.soon(
          `${call.operation} rejects at once`,
          rejects(() => invoke(backend, signal), { backend, operation: call.operation, codes: [code] })
        )
      }
    }
  },
  {
    name: `${call.operation} ends soon when its signal fires midway`,
    when: call.supported,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      for (const [reason, code] of [
        [undefined, 'ABORTED'],
        [timedOut(), 'TIMEOUT']
      ] as const) {
        const invoke = await call.prepare()
        const controller = new AbortController()
        const outcome = outcomeOf(invoke(backend, controller.signal))
        controller.abort(reason)
        const ended = await t.soon(`${call.operation} ends soon after its signal fired`, outcome)
        if ('error' in ended)
          wellFormed(ended.error, { backend, operation: call.operation, codes: [code, ...call.fails] })
      }
    }
  }
])
