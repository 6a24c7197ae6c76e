/** Milliseconds on a monotonic clock that all processes of a machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Resolves with the duration of the work in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}

/** Works on all items, a limited number at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  parallel: number,
  work: (item: T) => Promise<unknown>
): Promise<void> {
  const todo = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = todo.next(); next.done !== true; next = todo.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}
