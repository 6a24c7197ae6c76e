import { fail } from './check.ts'

/** Resolves after `ms`; for declared pacing and for the bound of a wait, never as a guess at how long something takes. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise<void>((resolve) => setTimeout(resolve, ms))
}

/** One turn of the event loop: what the engine had ready has come out. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0))
}

/** The promise's end, or a failure that names what was awaited. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => {
        try {
          fail(what, `nothing after ${Math.round(ms)} ms`)
        } catch (error) {
          reject(error)
        }
      },
      Math.max(ms, 1)
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks again, ever more slowly, until `condition` gives something or the time is over; then `undefined`. */
export async function poll<T>(ms: number, condition: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = performance.now() + ms
  for (let wait = 2; ; wait = Math.min(wait * 2, 250)) {
    const value = await condition()
    if (value !== undefined || performance.now() >= end) return value
    await pause(wait)
  }
}

export async function collect<T>(iterable: () => AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable()) items.push(item)
  return items
}
