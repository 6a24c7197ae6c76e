/**
 * Calls `next` in a separate task. Before that task, the runtime drains every microtask, and in Node every
 * `process.nextTick`, including those that they queue themselves. So all promise work has settled.
 */
export const inNextTurn: (next: () => void) => void = createTurn()

function createTurn(): (next: () => void) => void {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }
  if (setImmediate !== undefined)
    return (next) => {
      setImmediate(next)
    }
  return (next) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      next()
    })
    port1.start()
    port2.postMessage(undefined)
  }
}
