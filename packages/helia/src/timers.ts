/** Calls back in a later turn of the event loop. Timers of a hidden page may wait for a second; a message does not. */
export function soon(callback: () => void): void {
  if (typeof setImmediate === 'function') {
    setImmediate(callback)
    return
  }
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener(
    'message',
    () => {
      port1.close()
      callback()
    },
    { once: true }
  )
  port1.start()
  port2.postMessage(undefined)
}
