import { abortError, type Clock, type LayerCall, sleep } from '@p2pl/core/backend'

/** Waits within a call. When the call's signal fires, it rejects as the call would. */
export async function pause(ms: number, clock: Clock, { operation, backend, options }: LayerCall): Promise<void> {
  const { signal } = options
  try {
    await sleep(ms, { clock, signal, hold: true })
  } catch (error) {
    throw signal === undefined ? error : abortError(operation, signal, backend)
  }
}
