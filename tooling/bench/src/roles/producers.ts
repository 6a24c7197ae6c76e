/**
 * How an application publishes: `await` waits for each publish, `yield` yields to the event loop after each one,
 * `burst` publishes 1,024 at once and waits for all of them.
 */
export type Producer = 'await' | 'yield' | 'burst'

type Publish = (payload: Uint8Array) => Promise<unknown>

/** The most concurrent messages of one of several publishers, so that an engine is busy but its queues can hold them. */
const underWay = 1_024

export const producers: Readonly<Record<Producer, (payloads: Uint8Array[], publish: Publish) => Promise<void>>> = {
  await: async (payloads, publish) => {
    for (const payload of payloads) await publish(payload)
  },
  yield: async (payloads, publish) => {
    const pending = new Set<Promise<unknown>>()
    for (const payload of payloads) {
      const one = publish(payload).finally(() => pending.delete(one))
      pending.add(one)
      await new Promise((resolve) => setImmediate(resolve))
      while (pending.size >= underWay) await Promise.race(pending)
    }
    await Promise.all(pending)
  },
  burst: async (payloads, publish) => {
    for (let at = 0; at < payloads.length; at += underWay)
      await Promise.all(payloads.slice(at, at + underWay).map(publish))
  }
}
