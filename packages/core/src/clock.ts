export interface TimerOptions {
  /** Keeps the process alive until the timer fires or is cleared. For calls that somebody waits for. Default false. */
  readonly hold?: boolean | undefined
}

/** Time and timers. The simulator replaces them with virtual time. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start, for durations. It never steps, and means nothing to other processes. */
  now(): number
  /** Milliseconds since the Unix epoch. A hint: it may step in either direction, so no duration is computed from it. */
  wall(): number
  /** Calls `callback` once after `ms` milliseconds, or after 2^31 - 1 milliseconds if `ms` is larger. */
  setTimeout(callback: () => void, ms: number, options?: TimerOptions): unknown
  clearTimeout(timer: unknown): void
  /** Calls `callback` in the next turn of the event loop, after the work that is ready now. It keeps the process alive. */
  nextTurn(callback: () => void): void
}

const longestTimer = 0x7fffffff

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (callback, ms, options) => {
    const timer: unknown = globalThis.setTimeout(callback, Math.min(ms, longestTimer))
    // Node only: in browsers a timer is a number, and a page lives as long as its tab.
    if (options?.hold !== true && typeof timer === 'object' && timer !== null)
      (timer as { unref?: () => void }).unref?.()
    return timer
  },
  clearTimeout: (timer) => {
    globalThis.clearTimeout(timer as number)
  },
  nextTurn: nextTurn()
}

/** In browsers a timer of 0 ms waits for 4 ms once timers are nested; a message does not. */
function nextTurn(): (callback: () => void) => void {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }
  if (setImmediate !== undefined) return (callback) => void setImmediate(callback)
  const waiting: (() => void)[] = []
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener('message', () => {
    waiting.shift()?.()
  })
  port1.start()
  return (callback) => {
    waiting.push(callback)
    port2.postMessage(null)
  }
}

/** Keeps the process alive until the returned function is called. */
export function holdProcess(clock: Clock): () => void {
  let timer: unknown
  const renew = (): void => {
    timer = clock.setTimeout(renew, longestTimer, { hold: true })
  }
  renew()
  return () => {
    clock.clearTimeout(timer)
  }
}
