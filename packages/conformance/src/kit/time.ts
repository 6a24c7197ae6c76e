import { sleep } from '@p2pl/core/backend'
import { fail } from './check.ts'

/**
 * The longest time in milliseconds that "at once" and "soon" in the port may mean: for a refusal, a local lookup, or the
 * end of a call after its signal has fired.
 */
export const soonMs = 1000

const tickMs = 20

/**
 * Calls `callback` after `ms` of this process's own time, and returns a function that cancels it. While the whole process
 * is stalled (a busy machine, a debugger), at most one tick passes, since no call under test could have ended meanwhile.
 */
export function alarm(ms: number, callback: () => void): () => void {
  let left = ms
  const wait = (): ReturnType<typeof setTimeout> =>
    setTimeout(
      () => {
        left -= tickMs
        if (left > 0) timer = wait()
        else callback()
      },
      Math.max(1, Math.min(left, tickMs))
    )
  let timer = wait()
  return () => clearTimeout(timer)
}

/** One turn of the event loop: lets the engine deliver what is ready. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0))
}

/** The outcome of the promise, or a failure that names the obligation. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const cancel = alarm(ms, () => {
      try {
        fail(what, `nothing after ${Math.round(ms)} ms`)
      } catch (error) {
        reject(error)
      }
    })
    promise
      .then(resolve, reject)
      .finally(cancel)
      .catch(() => undefined)
  })
}

/** Asks repeatedly, with growing pauses, until `condition` returns a value. Returns `undefined` when the time is over. */
export async function poll<T>(ms: number, condition: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = performance.now() + ms
  for (let wait = 2; ; wait = Math.min(wait * 2, 250)) {
    const value = await condition()
    if (value !== undefined || performance.now() >= end) return value
    await sleep(wait)
  }
}

export async function collect<T>(iterable: () => AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable()) items.push(item)
  return items
}

/** How a call ended: with a value, or with an error that the test judges. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown }

export async function outcomeOf<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call }
  } catch (error) {
    return { error }
  }
}
