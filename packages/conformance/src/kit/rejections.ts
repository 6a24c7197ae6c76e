type Listener = (reason: unknown) => void

interface Process {
  on(event: 'unhandledRejection', listener: Listener): unknown
  off(event: 'unhandledRejection', listener: Listener): unknown
}

/**
 * Calls the listener for every unhandled rejection of this process (Node, Deno, Bun) or page, until the returned function
 * is called.
 */
export function watchRejections(listener: Listener): () => void {
  const { process } = globalThis as { process?: Partial<Process> }
  if (typeof process?.on === 'function' && typeof process.off === 'function') {
    const watched = process as Process
    watched.on('unhandledRejection', listener)
    return () => void watched.off('unhandledRejection', listener)
  }
  if (typeof addEventListener !== 'function') return () => undefined
  const heard = (event: Event): void => listener((event as Event & { reason?: unknown }).reason)
  addEventListener('unhandledrejection', heard)
  return () => removeEventListener('unhandledrejection', heard)
}
