import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Resolves when `condition` returns a value other than `undefined` or `false`. Rejects after `timeout` ms, naming
 * `what`. The timeout is far longer than needed on a busy machine: it only ends a hang. Use this for states of other
 * processes that send no event, never as a substitute for an event.
 */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = 100_000
): Promise<T> {
  const end = performance.now() + timeout
  for (let pause = 1; ; pause = Math.min(pause * 2, 100)) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`${what}: not so after ${timeout} ms`)
    await sleep(pause)
  }
}
