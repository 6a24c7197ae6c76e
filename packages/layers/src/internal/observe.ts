import {
  type Changes,
  type ErrorCode,
  type Interceptor,
  isBytes,
  isP2plError,
  type LayerCall
} from '@p2pl/core/backend'

/** How a call ended. */
export interface Ending {
  /** `closed`: the reader ended an iteration before its end. */
  readonly outcome: 'ok' | 'error' | 'closed'
  readonly error?: unknown
  /** Why it failed; `unknown` for an error that is not a `P2plError`. */
  readonly code?: ErrorCode | 'unknown' | undefined
  /** Bytes of the blocks that came. */
  readonly receivedBytes: number
  /** Number of items of an iteration. */
  readonly items?: number | undefined
}

export interface Observer {
  readonly changes?: Changes | undefined
  /** Called once. An error that it throws is ignored, so that an observer breaks no call. */
  end(ending: Ending): void
}

/** The interceptor of a layer that observes calls without changing them. */
export function observing(begin: (call: LayerCall) => Observer): Required<Pick<Interceptor, 'call' | 'iterate'>> {
  return {
    call: async (call, run) => {
      const observer = begin(call)
      let ending: Ending = { outcome: 'closed', receivedBytes: 0 }
      try {
        const result = await run(observer.changes)
        ending = { outcome: 'ok', receivedBytes: isBytes(result) ? result.byteLength : 0 }
        return result
      } catch (error) {
        ending = failed(error)
        throw error
      } finally {
        quietly(() => observer.end(ending))
      }
    },
    iterate: async function* (call, run) {
      const observer = begin(call)
      let ending: Ending = { outcome: 'closed', receivedBytes: 0 }
      let items = 0
      try {
        for await (const item of run(observer.changes)) {
          items++
          yield item
        }
        ending = { outcome: 'ok', receivedBytes: 0 }
      } catch (error) {
        ending = failed(error)
        throw error
      } finally {
        quietly(() => observer.end({ ...ending, items }))
      }
    }
  }
}

export function quietly(report: () => void): void {
  try {
    report()
  } catch {
    // An observer must not break the call that it observes.
  }
}

function failed(error: unknown): Ending {
  return { outcome: 'error', error, code: isP2plError(error) ? error.code : 'unknown', receivedBytes: 0 }
}
