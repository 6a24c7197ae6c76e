import type { CallOptions } from '../api/common.ts'
import { type Clock, holdProcess } from '../clock.ts'
import { abortError, invalidArgument, P2plError, throwIfAborted } from '../errors.ts'
import { giveUpAfter } from './give-up.ts'

export interface CountdownOptions extends CallOptions {
  /** Also ends the call: the life of the peer or part that the call belongs to. Its reason should be a `P2plError`. */
  scope?: AbortSignal | undefined
}

/** A running timeout, combined with the caller's signal. It keeps the process alive; the code that starts one closes it. */
export interface Countdown {
  /** Fires with the caller's reason, or with a `TIMEOUT` error as its reason. */
  readonly signal: AbortSignal
  /** Reports progress: the timeout starts again from now. Has no effect while the countdown is paused. */
  renew(): void
  /**
   * Stops the timeout until `resume`, for example while the reader of a stream is the slow side. The caller's signal still
   * counts.
   */
  pause(): void
  /** Starts the timeout again, from now. */
  resume(): void
  /** Settles like `work`, but rejects as soon as the countdown fires, even if `work` ignores the signal. */
  race<T>(work: PromiseLike<T>): Promise<T>
  /** What the work waits for, for the message of a timeout: `the block bafk… from others`. `undefined` clears it. */
  waitsFor(what: string | undefined): void
  /** Fires the signal with this reason, for work that is still under way. */
  cancel(reason: P2plError): void
  /** Releases the timer and the listener. Idempotent. */
  close(): void
}

/**
 * Starts a timeout of `options.timeout` milliseconds (default `defaultMs`; `Infinity` for none). Throws at once when
 * `options.signal` has already fired, or when the timeout is not a number of milliseconds.
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
  let stop: (() => void) | undefined
  let closed = false
  // A timeout of `Infinity` has no timer that would keep the process alive.
  const release = ms === Infinity ? holdProcess(clock) : undefined

  const disarm = (): void => {
    stop?.()
    stop = undefined
  }
  const fire = (error: P2plError, reason: unknown): void => {
    if (failure !== undefined || closed) return
    failure = error
    close()
    // Waiters first: the work's reaction to its signal must not decide which error the caller sees.
    for (const reject of waiting) reject(error)
    waiting.clear()
    controller.abort(reason)
  }
  const onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal
    fire(abortError(operation, signal), signal.reason)
  }
  const onTimeout = (): void => {
    stop = undefined
    const error = new P2plError({
      code: 'TIMEOUT',
      operation,
      message: `${operation} made no progress within its timeout of ${ms} ms${awaited === undefined ? '' : `: ${awaited}`}`
    })
    fire(error, error)
  }
  const arm = (): void => {
    disarm()
    if (ms !== Infinity && !closed) stop = giveUpAfter(ms, onTimeout, { clock, hold: true })
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
      if (stop !== undefined) arm()
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
 * Runs one operation under the caller's signal and a timeout on `clock`. Rejects as soon as either fires, with `ABORTED` or
 * `TIMEOUT`, even if `work` ignores its signal. Whatever `work` does later has no effect.
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

/** Like {@link withTimeout}, for work of any length: `work` calls `countdown.renew()` whenever it has made progress. */
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
 * Iterates over the items of `open`, under the caller's signal and a timeout: from one item to the next (`renewed`), or for
 * all items. `return()` cancels the work under way at once, even while a `next()` is pending.
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
    // The source may be stuck in a call that ignores its signal, so nobody waits for it.
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

/** The timeout of a call in milliseconds. Throws `INVALID_ARGUMENT` if it is not a timeout. */
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
