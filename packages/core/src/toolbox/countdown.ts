import type { CallOptions } from '../api/common.ts'
import { type Clock, holdProcess } from '../clock.ts'
import { abortError, invalidArgument, P2plError, throwIfAborted } from '../errors.ts'

export interface CountdownOptions extends CallOptions {
  /** Ends the call, too: the life of the peer or part that the call belongs to. Its reason should be a `P2plError`. */
  scope?: AbortSignal | undefined
}

/** A running timeout, joined with the caller's signal. It keeps the process alive; the code that starts one closes it. */
export interface Countdown {
  /** Fires with the caller's reason, or with a `TIMEOUT` error as its reason. */
  readonly signal: AbortSignal
  /** There was progress: the timeout counts anew from now. Of no effect while it stands still. */
  renew(): void
  /** Stands still until `resume`, such as while the reader of a stream is the slow one. The caller's signal still counts. */
  pause(): void
  /** Counts again, from now. */
  resume(): void
  /** Settles like `work`, but rejects as soon as the countdown fires, even where `work` ignores the signal. */
  race<T>(work: PromiseLike<T>): Promise<T>
  /** What the work waits for, for the message of a timeout: `the block bafk… from others`. `undefined` takes it back. */
  waitsFor(what: string | undefined): void
  /** Fires the signal for what is still under way, with this reason. */
  cancel(reason: P2plError): void
  /** Releases timer and listener. Idempotent. */
  close(): void
}

/**
 * Starts to count `options.timeout` milliseconds (default `defaultMs`; `Infinity` for none).
 * Throws at once when `options.signal` has already fired, or when the timeout is not a number of milliseconds.
 */
export function startCountdown(
  clock: Clock,
  options: CountdownOptions | undefined,
  defaultMs: number,
  operation: string
): Countdown {
  throwIfAborted(operation, options?.scope)
  throwIfAborted(operation, options?.signal)
  const ms = timeoutOf(options, defaultMs, operation)
  const { signal: outer, scope } = options ?? {}
  const controller = new AbortController()
  const waiting = new Set<(error: P2plError) => void>()
  let failure: P2plError | undefined
  let awaited: string | undefined
  let timer: unknown
  let closed = false
  // A timeout of `Infinity` has no timer that would keep the process alive.
  const release = ms === Infinity ? holdProcess(clock) : undefined

  const disarm = (): void => {
    if (timer !== undefined) clock.clearTimeout(timer)
    timer = undefined
  }
  const fire = (error: P2plError, reason: unknown): void => {
    if (failure !== undefined || closed) return
    failure = error
    close()
    // Waiters first: what the work makes of its signal must not decide which error the caller sees.
    for (const reject of waiting) reject(error)
    waiting.clear()
    controller.abort(reason)
  }
  const onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal
    fire(abortError(operation, signal), signal.reason)
  }
  const onTimeout = (): void => {
    timer = undefined
    const error = new P2plError({
      code: 'TIMEOUT',
      operation,
      message: `${operation} made no progress within its timeout of ${ms} ms${awaited === undefined ? '' : `: ${awaited}`}`
    })
    fire(error, error)
  }
  const arm = (): void => {
    disarm()
    if (ms !== Infinity && !closed) timer = clock.setTimeout(onTimeout, ms, { hold: true })
  }
  const close = (): void => {
    closed = true
    disarm()
    release?.()
    outer?.removeEventListener('abort', onAbort)
    scope?.removeEventListener('abort', onAbort)
  }

  outer?.addEventListener('abort', onAbort, { once: true })
  scope?.addEventListener('abort', onAbort, { once: true })
  arm()
  return {
    signal: controller.signal,
    renew: () => {
      if (timer !== undefined) arm()
    },
    pause: disarm,
    resume: arm,
    waitsFor: (what) => {
      awaited = what
    },
    race: (work) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) reject(failure)
        else waiting.add(reject)
        Promise.resolve(work).then(
          (value) => {
            waiting.delete(reject)
            return resolve(value)
          },
          (error: unknown) => {
            waiting.delete(reject)
            reject(error)
          }
        )
      }),
    cancel: (reason) => {
      fire(reason, reason)
    },
    close
  }
}

/**
 * Runs one operation under the caller's signal and a timeout on `clock`. Rejects as soon as either fires, with
 * `ABORTED` or `TIMEOUT`, even where `work` ignores the signal it is given; what `work` does later is then of no effect.
 */
export async function withTimeout<T>(
  clock: Clock,
  options: CountdownOptions | undefined,
  defaultMs: number,
  operation: string,
  work: (signal: AbortSignal) => PromiseLike<T> | T
): Promise<T> {
  return await withProgressTimeout(clock, options, defaultMs, operation, (countdown) => work(countdown.signal))
}

/** Like {@link withTimeout}, for work of any length: it calls `countdown.renew()` whenever it has got on. */
export async function withProgressTimeout<T>(
  clock: Clock,
  options: CountdownOptions | undefined,
  defaultMs: number,
  operation: string,
  work: (countdown: Countdown) => PromiseLike<T> | T
): Promise<T> {
  const countdown = startCountdown(clock, options, defaultMs, operation)
  try {
    return await countdown.race(call(work, countdown))
  } finally {
    countdown.close()
  }
}

/**
 * Items of `open`, under the caller's signal and a timeout: from one item to the next (`renewed`), or for all of them.
 * `return()` cancels at once what is under way, also while a `next()` is pending.
 */
export function iterateWithTimeout<T>(
  clock: Clock,
  options: CountdownOptions | undefined,
  defaultMs: number,
  operation: string,
  renewed: boolean,
  open: (countdown: Countdown) => AsyncIterable<T>
): AsyncIterableIterator<T> {
  let countdown: Countdown | undefined
  let source: AsyncIterator<T> | undefined
  let done = false

  const end = (): void => {
    if (done) return
    done = true
    countdown?.cancel(new P2plError({ code: 'ABORTED', operation, message: `${operation} was ended by its reader` }))
    countdown?.close()
    // The source may be stuck in a call that ignores its signal: nobody waits for it.
    void Promise.resolve(source?.return?.()).catch(() => undefined)
  }
  const advance = async (): Promise<IteratorResult<T>> => {
    if (done) return { done: true, value: undefined }
    try {
      if (countdown === undefined) {
        countdown = startCountdown(clock, options, defaultMs, operation)
        source = open(countdown)[Symbol.asyncIterator]()
      } else if (renewed) countdown.resume()
      const item = await countdown.race((source as AsyncIterator<T>).next())
      if (renewed) countdown.pause()
      if (item.done === true) {
        done = true
        countdown.close()
      }
      return item
    } catch (error: unknown) {
      if (done) return { done: true, value: undefined }
      end()
      throw error
    }
  }

  let last: Promise<unknown> = Promise.resolve()
  return {
    next: () => {
      const turn = last.then(advance)
      last = turn.catch(() => undefined)
      return turn
    },
    return: (value?: unknown) => {
      end()
      return Promise.resolve({ done: true, value } as IteratorResult<T>)
    },
    throw: (error?: unknown) => {
      end()
      return Promise.reject(error)
    },
    [Symbol.asyncIterator]() {
      return this
    }
  }
}

async function call<T>(work: (countdown: Countdown) => PromiseLike<T> | T, countdown: Countdown): Promise<T> {
  return await work(countdown)
}

/** The timeout of a call in milliseconds; `INVALID_ARGUMENT` where it is none. */
export function timeoutOf(options: CountdownOptions | undefined, defaultMs: number, operation: string): number {
  const ms = options?.timeout ?? defaultMs
  if (typeof ms !== 'number' || !(ms > 0)) {
    throw invalidArgument(
      operation,
      `timeout must be a positive number of milliseconds, or Infinity, not ${String(ms)}`
    )
  }
  return ms
}
