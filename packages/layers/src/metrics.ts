import {
  aroundCalls,
  type ErrorCode,
  isP2plError,
  type Layer,
  type LayerCall,
  type Operation
} from '@p2pl/core/backend'

/** One call that has ended. */
export interface CallRecord {
  readonly backend: string
  readonly operation: Operation
  /** `closed`: the reader ended an iteration before its end. */
  readonly outcome: 'ok' | 'error' | 'closed'
  /** Why it failed; `unknown` for what is not a `P2plError`. */
  readonly code?: ErrorCode | 'unknown' | undefined
  /** Milliseconds from the call to its end. */
  readonly duration: number
  /** Payload and block bytes handed to the backend. */
  readonly sentBytes: number
  /** Block bytes that came from it. */
  readonly receivedBytes: number
  /** Items that an iteration gave. */
  readonly items?: number | undefined
}

/** What came in on a subscription. */
export interface IncomingRecord {
  readonly backend: string
  readonly topic: string
  readonly event: 'message' | 'gap'
  readonly receivedBytes: number
}

/** Where figures go. The functions return at once; what they throw is swallowed, so that counting breaks no call. */
export interface MetricsSink {
  onCall(record: CallRecord): void
  onIncoming?(record: IncomingRecord): void
  /** Monotonic milliseconds. Default `performance.now`. */
  now?: (() => number) | undefined
}

/** Reports each call, and each message and gap of each subscription, to a sink. */
export function metrics(sink: MetricsSink): Layer {
  return aroundCalls({
    call: async (call, run) => {
      const measure = new Measure(call, sink)
      try {
        const result = await run()
        if (result instanceof Uint8Array) measure.receivedBytes += result.byteLength
        measure.end('ok')
        return result
      } catch (error) {
        measure.end('error', error)
        throw error
      }
    },
    iterate: async function* (call, run) {
      const measure = new Measure(call, sink)
      measure.items = 0
      try {
        for await (const item of run()) {
          measure.items++
          yield item
        }
        measure.end('ok')
      } catch (error) {
        measure.end('error', error)
        throw error
      } finally {
        measure.end('closed')
      }
    },
    subscriber: (subscriber, topic, backend) => {
      const report = (event: IncomingRecord['event'], receivedBytes: number): void =>
        quietly(() => sink.onIncoming?.({ backend, topic, event, receivedBytes }))
      return {
        message: (message) => {
          report('message', message.payload.byteLength)
          return subscriber.message(message)
        },
        gap: (gap) => {
          report('gap', 0)
          subscriber.gap(gap)
        },
        state: (state) => subscriber.state?.(state)
      }
    }
  })
}

class Measure {
  receivedBytes = 0
  items: number | undefined
  readonly #call: LayerCall
  readonly #sink: MetricsSink
  readonly #now: () => number
  readonly #begin: number
  #ended = false

  constructor(call: LayerCall, sink: MetricsSink) {
    this.#call = call
    this.#sink = sink
    this.#now = sink.now ?? (() => performance.now())
    this.#begin = this.#now()
  }

  /** The first end counts. */
  end(outcome: CallRecord['outcome'], error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const { operation, backend, payload, blocks = [] } = this.#call
    const duration = this.#now() - this.#begin
    quietly(() =>
      this.#sink.onCall({
        backend,
        operation,
        outcome,
        code: outcome === 'error' ? (isP2plError(error) ? error.code : 'unknown') : undefined,
        duration,
        sentBytes: blocks.reduce((sum, { bytes }) => sum + bytes.byteLength, payload?.byteLength ?? 0),
        receivedBytes: this.receivedBytes,
        items: this.items
      })
    )
  }
}

function quietly(report: () => void): void {
  try {
    report()
  } catch {
    // Counting must not break what is counted.
  }
}

/** Sums per operation, since the sink was made. */
export interface OperationTotals {
  readonly calls: number
  readonly errors: Readonly<Partial<Record<ErrorCode | 'unknown', number>>>
  /** Milliseconds of all calls together, and of the longest. */
  readonly duration: number
  readonly longest: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

export interface Totals {
  readonly operations: Readonly<Partial<Record<Operation, OperationTotals>>>
  readonly messages: number
  readonly gaps: number
  readonly messageBytes: number
}

/** A sink that adds up; `totals` is a copy of where it stands. */
export function countingSink(): MetricsSink & { totals(): Totals } {
  const sums = new Map<Operation, OperationTotals>()
  let messages = 0
  let gaps = 0
  let messageBytes = 0
  return {
    onCall: ({ operation, code, duration, sentBytes, receivedBytes }) => {
      const sum = sums.get(operation)
      const errors = sum?.errors ?? {}
      sums.set(operation, {
        calls: (sum?.calls ?? 0) + 1,
        errors: code === undefined ? errors : { ...errors, [code]: (errors[code] ?? 0) + 1 },
        duration: (sum?.duration ?? 0) + duration,
        longest: Math.max(sum?.longest ?? 0, duration),
        sentBytes: (sum?.sentBytes ?? 0) + sentBytes,
        receivedBytes: (sum?.receivedBytes ?? 0) + receivedBytes
      })
    },
    onIncoming: ({ event, receivedBytes }) => {
      if (event === 'message') messages++
      else gaps++
      messageBytes += receivedBytes
    },
    totals: () => ({ operations: Object.fromEntries(sums), messages, gaps, messageBytes })
  }
}
